//! Key by key: layers, variables, secrets, differences.

use super::*;

const ENVIRONMENT: [(&str, &str); 4] =
    [("PORT", "8181"), ("HOST", "acme"), ("TOKEN", "s3cret"), ("SERVICES", "{more: {url: http://more}}")];

fn load(layers: Layers) -> ConfigTree {
    let variable =
        |name: &str| ENVIRONMENT.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    layers.with_environment(variable).load().expect("a good configuration")
}

/// `key = value (layer, variables)`
fn shown(tree: &ConfigTree) -> Vec<String> {
    let line = |leaf: Leaf| {
        let from = [vec![leaf.origin.clone()], leaf.variables.clone()].concat().join(", ");
        format!("{} = {} ({from})", leaf.key(), encode(&leaf.value))
    };
    tree.leaves().into_iter().map(line).collect()
}

#[test]
fn each_key_has_its_layer_and_the_variables_in_it() {
    let base = "# ${UNUSED}\nport: ${PORT}\nurl: \"http://${HOST}:${PORT}/${HOST}\"\nlist: [a, {b: \"${HOST}\"}]\n\
                free: ${SERVICES}\nplain: {x: 1, e: {}, \"a.b\": 2}\nlabels: {lost: \"${HOST}\"}\n";
    let tree = load(Layers::new().text("base", base).text("site", "labels: {lost: found}").set("plain.y=${PORT}"));
    let expected = [
        r#"free.more.url = "http://more" (base, SERVICES)"#,
        r#"labels.lost = "found" (site)"#,
        r#"list = ["a",{"b":"acme"}] (base, HOST)"#,
        r"plain.a\.b = 2 (base)",
        "plain.e = {} (base)",
        "plain.x = 1 (base)",
        "plain.y = 8181 (--set, PORT)",
        "port = 8181 (base, PORT)",
        r#"url = "http://acme:8181/acme" (base, HOST, PORT)"#,
    ];
    assert_eq!(shown(&tree), expected);
}

#[test]
fn secrets_are_masked_and_what_is_never_shown_is_named() {
    let yaml = "services: [{name: acme, url: http://u:${TOKEN}@h, headers: {X-Auth: \"${TOKEN}\"}, \
                credentials: {bearer: {token: \"${TOKEN}\"}}}]\nkeys: {k: {key: s3cret, algorithm: HS256}}\nmy_token: {s3cret: 1}\n";
    let tree = load(Layers::new().text("base", yaml));
    let expected = [
        r#"keys.k.algorithm = "HS256" (base)"#,
        r#"keys.k.key = "***" (base)"#,
        r#"my_token = "***" (base)"#,
        r#"services.acme.credentials = "***" (base, TOKEN)"#,
        r#"services.acme.headers.X-Auth = "***" (base, TOKEN)"#,
        r#"services.acme.name = "acme" (base)"#,
        r#"services.acme.url = "http://u:***@h" (base, TOKEN)"#,
    ];
    assert_eq!(shown(&tree), expected);
}

#[test]
fn each_service_of_a_list_has_its_own_variables() {
    let list = "services:\n- {name: acme, url: \"http://${PORT}\"}\n- {name: \"${HOST}s\", url: http://b, headers: {x: \"${PORT}\", z: q}}\n\
                - {name: acme, url: \"http://${HOST}\", type: \"\"}\n- ${ITEM}\n";
    let item = |name: &str| match name {
        "ITEM" => Some("{name: more, url: http://more}".to_owned()),
        name => ENVIRONMENT.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
    };
    let expected = [
        r#"services.acme.name = "acme" (base)"#,
        r#"services.acme.type = "" (base)"#,
        r#"services.acme.url = "http://acme" (base, HOST)"#,
        r#"services.acmes.headers.x = "8181" (base, PORT)"#,
        r#"services.acmes.headers.z = "q" (base)"#,
        r#"services.acmes.name = "acmes" (base, HOST)"#,
        r#"services.acmes.url = "http://b" (base)"#,
        r#"services.more.name = "more" (base, ITEM)"#,
        r#"services.more.url = "http://more" (base, ITEM)"#,
    ];
    let layers = || Layers::new().text("below", "services: {gone: {}}").text("base", list).with_environment(item);
    let boot = layers().read().expect("YAML");
    assert_eq!(shown(&boot.tree().expect("services")), expected);
    // Nor does it matter whether something is discovered, be it a list as well.
    let found = boot.over("{}").expect("a configuration").tree;
    assert_eq!(shown(&found), expected);
    let discovered = r#"services: [{name: z, url: "http://${HOST}"}, {name: w, url: u}]"#;
    let found = boot.over(discovered).expect("a configuration").tree;
    let more = [
        r#"services.w.name = "w" (discovery)"#,
        r#"services.w.url = "u" (discovery)"#,
        r#"services.z.name = "z" (discovery)"#,
        r#"services.z.url = "http://acme" (discovery, HOST)"#,
    ];
    assert_eq!(shown(&found), [&expected[..], &more].concat());
    // A list that is but one variable, and one of `--set`.
    let whole =
        load(Layers::new().text("base", "services: ${SERVICES}\n").set("services[0].name=a,services[0].url=${PORT}"));
    assert_eq!(shown(&whole), [r#"services.a.name = "a" (--set)"#, "services.a.url = 8181 (--set, PORT)"]);
    let list = |_: &str| Some("[{name: a, url: u}]".to_owned());
    let whole = Layers::new().text("base", "services: ${LIST}\n").with_environment(list).load().expect("good");
    assert_eq!(shown(&whole), [r#"services.a.name = "a" (base, LIST)"#, r#"services.a.url = "u" (base, LIST)"#]);
}

#[test]
fn what_is_listed_twice_is_told_whoever_lists_it() {
    let twice = "services: [{name: a, url: u}, {name: a, url: v}]";
    let boot = Layers::new().text("base", twice).read().expect("YAML");
    let told = |origin: &str| format!("{origin}: service `a` is given more than once, the last one counts");
    assert_eq!(boot.over("{}").expect("a configuration").tree.warnings(), [told("base")]);
    let boot = Layers::new().text("base", "services: {b: {url: u}}").read().expect("YAML");
    assert_eq!(boot.over(twice).expect("a configuration").tree.warnings(), [told("discovery")]);
}

#[test]
fn differences_see_what_is_hidden_and_show_it_masked() {
    let here = load(Layers::new().text("a", "{keys: {k: {key: one}}, bundles: {}, x: 1, gone: {deep: 1}, same: [1]}"));
    let there = load(Layers::new().text("b", "{keys: {k: {key: two}}, bundles: {b: {}}, x: 2, same: [1]}"));
    let differences = here.differences(&there);
    let keys = |leaves: &[Leaf]| leaves.iter().map(Leaf::key).collect::<Vec<_>>();
    assert_eq!(
        (keys(&differences.added), keys(&differences.removed)),
        (vec!["bundles.b".to_owned()], vec!["gone.deep".to_owned()])
    );
    let changed: Vec<_> =
        differences.changed.iter().map(|(from, to)| (from.key(), encode(&from.value), encode(&to.value))).collect();
    let masked = || r#""***""#.to_owned();
    assert_eq!(
        changed,
        [("keys.k.key".to_owned(), masked(), masked()), ("x".to_owned(), "1".to_owned(), "2".to_owned())]
    );
    assert_eq!(here.differences(&here), Differences::default());
}
