//! The layers as a whole: ranking, origins, errors.

mod listing;
mod sections;

use super::*;
use crate::value::{Value, decode, encode};

fn layers() -> Layers {
    Layers::new().with_environment(|name| (name == "HOME_URL").then(|| "https://home".to_owned()))
}

fn tree(text: &str) -> ConfigTree {
    layers().text("base.yaml", text).load().expect("a good configuration")
}

fn failure(layers: Layers) -> String {
    layers.load().expect_err("a bad configuration").to_string()
}

fn file(folder: &tempfile::TempDir, name: &str, content: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("the folder can be written");
    path.display().to_string()
}

#[test]
fn later_layers_win_and_are_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = file(
        &folder,
        "base.yaml",
        "labels: {a: 1, b: 1, c: 1, d: 1}\nlist: [1, 2]\nkeep: {x: 1.50}\ngone: {deep: 1}\n",
    );
    let site = file(&folder, "site.json", r#"{"labels": {"b": 2}, "gone": null}"#);
    let secret = file(&folder, "secret", "  ${HOME_URL}\n\n");
    let tree = layers()
        .set_file(&format!("labels.d={secret}"))
        .set("labels.c=3,labels.d=3")
        .file(&base)
        .file(&site)
        .value("url", decode(br#"{"list": "none"}"#).expect("valid JSON"))
        .set("list[1]=x")
        .load()
        .expect("good");
    let expected = r#"{"gone":null,"keep":{"x":1.5},"labels":{"a":1,"b":2,"c":3,"d":"${HOME_URL}"},"list":[null,"x"]}"#;
    assert_eq!(encode(tree.value()), expected);
    let origins = [
        "labels.a",
        "labels.b",
        "labels.c",
        "labels.d",
        "list",
        "list.0",
        "gone.deep",
        "keep.x",
        "labels.none",
        "none",
    ];
    let expected = [&base, &site, "--set", "--set-file", "--set", "--set", &site, &base, "--set-file", ""];
    for (path, expected) in origins.iter().zip(expected) {
        assert_eq!(tree.origin(&path.split('.').collect::<Vec<_>>()), expected, "{path}");
    }
    assert_eq!(tree.get(&["gone"]), Some(&Value::NULL));
    assert!(tree.section(&["gone"]).is_none() && tree.section(&["none"]).is_none());
}

#[test]
fn files_given_to_set_file_fill_lists_that_set_began() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (file(&folder, "one", "1"), file(&folder, "two", " null "));
    let tree = layers()
        .text("base.yaml", "a: [7, 7, 7]")
        .set("a[0]=x")
        .set_file(&format!("a[1]={one},b={{{one},{two}}},c="))
        .load()
        .expect("good");
    assert_eq!(encode(tree.value()), r#"{"a":["x","1"],"b":["1","null"],"c":""}"#);
}

#[test]
fn nothing_is_an_empty_configuration() {
    for layers in
        [Layers::new(), layers().text("a", ""), layers().text("a", "~"), layers().text("a", "# none\n").set("")]
    {
        assert_eq!(encode(layers.load().expect("good").value()), "{}");
    }
    assert_eq!(encode(ConfigTree::default().value()), "{}");
}

#[test]
fn every_loading_error_is_told_in_opas_words() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(failure(layers().file("/no/x.yaml")), "config error: open /no/x.yaml: no such file or directory");
    let here = folder.path().display();
    assert_eq!(
        failure(layers().file(folder.path())),
        format!("config error: read {here}: is a directory (name a file in it)")
    );
    let go = "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}";
    assert_eq!(failure(layers().text("l.yaml", "[1]")), format!("config error: failed to parse l.yaml: {go}"));
    assert!(failure(layers().text("l.yaml", "a: [1")).starts_with(
        "config error: failed to parse l.yaml: error converting YAML to JSON: yaml: line 1: did not find expected ',' or ']'"
    ));
    assert_eq!(failure(layers().set("a={1")), "config error: failed parsing --set data: list must terminate with '}'");
    assert_eq!(
        failure(layers().set_file("a=/no/x")),
        "config error: failed parsing --set-file data: open /no/x: no such file or directory"
    );
    let errors = layers().file("/no/x").set("a").set("b").load().expect_err("three errors");
    assert_eq!(errors.0.len(), 3, "{errors}");
}

#[test]
fn variables_are_replaced_before_anything_is_read() {
    let tree = layers()
        .text("base.yaml", "url: ${HOME_URL}\nx: '${NONE}'\n${HOME_URL}: 1 # ${ALSO}\n")
        .set("y=${HOME_URL},z=${NONE}")
        .load()
        .expect("good");
    assert_eq!(encode(tree.value()), r#"{"https://home":1,"url":"https://home","x":"","y":"https://home","z":""}"#);
    assert_eq!(
        tree.warnings(),
        [
            r#"base.yaml: environment variable "NONE" is not defined, taken as empty"#,
            r#"base.yaml: environment variable "ALSO" is not defined, taken as empty"#,
            r#"--set: environment variable "NONE" is not defined, taken as empty"#,
        ]
    );
    let strict = layers().strict(true).text("base.yaml", "a: ${NONE}${}${HOME_URL}");
    assert_eq!(failure(strict), r#"config error: environment variable "NONE" is not defined (from base.yaml)"#);
}

#[test]
fn doubtful_keys_are_warned_about() {
    let tree = tree("on: 1\na: 1\na: 2\n");
    assert_eq!(
        tree.warnings(),
        [
            "base.yaml: line 1: key `on` is read as `true`, quote it to keep it as it is",
            "base.yaml: line 3: key `a` is given more than once, the last one counts"
        ]
    );
}

#[test]
fn services_keep_their_order() {
    let names = |layers: Layers| layers.load().expect("good").service_names().to_vec();
    assert_eq!(names(layers().text("a", "services: {z: {url: u}, b: {url: u}}")), ["z", "b"]);
    assert_eq!(names(layers().text("a", "services: [{name: z}, {name: b}]")), ["z", "b"]);
    let stacked =
        layers().text("a", "services: {z: {}, b: {}}").text("b", "services: {c: {}, b: {}}").set("services.a.url=x");
    assert_eq!(names(stacked), ["z", "b", "c", "a"]);
    let replaced = layers().text("a", "services: [{name: z}, {name: b}]").text("b", "services: {b: {}, z: {}}");
    assert_eq!(names(replaced), ["b", "z"]);
    assert_eq!(names(layers().text("a", r#"{"services": {"z": {}, "b": null}}"#)), ["z", "b"]);
    assert_eq!(names(layers().text("a", "x: &x {b: {}, a: {}}\nservices: *x")), ["a", "b"]);
    assert!(names(layers().text("a", "services:")).is_empty());
}

#[test]
fn a_list_of_services_becomes_an_object() {
    let tree = tree("services:\n- {name: z, url: u, credentials: {}}\n- {name: b}\n- {name: z, url: v}\n");
    assert_eq!(encode(tree.value()), r#"{"services":{"b":{"name":"b"},"z":{"name":"z","url":"v"}}}"#);
    assert_eq!(tree.origin(&["services", "z", "url"]), "base.yaml");
    assert_eq!(tree.warnings(), ["base.yaml: service `z` is given more than once, the last one counts"]);
    let shown = r#"{"services":[{"name":"z","url":"u"},{"name":"b"},{"name":"z","url":"v"}]}"#;
    assert_eq!(encode(&tree.redacted()), shown);
    // An object on top of a list replaces the list.
    let replaced = layers().text("a", "services: [{name: z, url: u}]").set("services.x.url=v").load().expect("good");
    assert_eq!(encode(replaced.value()), r#"{"services":{"x":{"url":"v"}}}"#);
    assert_eq!(
        failure(layers().text("a", "services: [{url: u}, 1, {name: 2}]")),
        "services[0].name: is missing, every service in a list needs one (from a); \
         services[1]: invalid type, expected an object (from a); \
         services[2].name: invalid type, expected a string (from a)"
    );
    assert_eq!(
        failure(layers().text("a", "services: 1")),
        "services: invalid type: number, expected an object or an array (from a)"
    );
}

#[test]
fn the_deepest_document_passes_through() {
    let flow = format!("{}1{}", r#"{"a":"#.repeat(MAX_DEPTH), "}".repeat(MAX_DEPTH));
    let lines: Vec<_> = (0..MAX_DEPTH - 1).map(|depth| " ".repeat(depth) + "a:").collect();
    for text in [flow, lines.join("\n")] {
        let tree = layers().text("deep", &text).set("b=1").load().expect("good");
        assert_eq!(tree.origin(&["a"; MAX_DEPTH]), "deep");
        assert!(encode(&tree.redacted()).len() > 4 * MAX_DEPTH && format!("{tree:?}").len() > 4 * MAX_DEPTH);
        assert!(tree.section(&["a"]).expect("there").parse::<serde_json::Value>().is_ok());
    }
    let deeper = format!("{}1{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    let expected = "config error: failed to parse deep: nested more than 200 levels deep";
    assert_eq!(failure(layers().text("deep", &format!("a: {deeper}"))), expected);
    assert_eq!(failure(layers().text("deep", &format!(r#"{{"a":{deeper}}}"#))), expected);
}
