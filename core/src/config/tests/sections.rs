//! Sections: typed reading, places, secrets.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
struct Bundle {
    service: Option<String>,
    #[serde(default)]
    polling: Option<Polling>,
    #[serde(default)]
    many: Vec<Polling>,
    #[serde(default)]
    free: BTreeMap<String, String>,
    #[serde(default)]
    token: u64,
}

#[derive(Debug, Deserialize)]
struct Polling {
    min: u64,
}

fn bundle(text: &str) -> Section {
    tree(text).section(&["bundles", "authz"]).expect("there")
}

#[test]
fn a_section_becomes_a_type() {
    let section = bundle(
        "bundles: {authz: {service: s, polling: {min: 1, mim: 2}, many: [{min: 3, x: {y: 1}}], free: {k: v}, oops: 1}}",
    );
    let parsed: Bundle = section.parse().expect("fits");
    assert_eq!(parsed.service.as_deref(), Some("s"));
    assert_eq!(parsed.polling.map(|polling| polling.min), Some(1));
    assert_eq!((parsed.many[0].min, parsed.free["k"].as_str(), parsed.token), (3, "v", 0));
}

#[test]
fn keys_that_nobody_knows_are_noted_with_the_nearest_and_the_layer() {
    let tree = layers()
        .text("base.yaml", "bundles: {authz: {polling: {min: 1, mim: 2}, many: [{min: 3, x: {y: 1}}], oops: 1}}")
        .set("bundles.authz.servise=s")
        .load()
        .expect("good");
    let section = tree.section(&["bundles", "authz"]).expect("there");
    // However often it is read.
    for _ in 0..2 {
        section.parse::<Bundle>().expect("fits");
    }
    let found: Vec<_> = tree
        .unknown_keys()
        .iter()
        .map(|key| (key.path().to_owned(), key.nearest().map(str::to_owned), key.origin().to_owned()))
        .collect();
    let near = |path: &str, nearest: Option<&str>, origin: &str| {
        (path.to_owned(), nearest.map(str::to_owned), origin.to_owned())
    };
    let expected = [
        near("bundles.authz.many[0].x", None, "base.yaml"),
        near("bundles.authz.oops", None, "base.yaml"),
        near("bundles.authz.polling.mim", Some("min"), "base.yaml"),
        near("bundles.authz.servise", Some("service"), "--set"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_misfit_names_key_and_layer() {
    let misfit = |layers: Layers| {
        let tree = layers.text("base.yaml", "bundles: {authz: {service: s}}").set("bundles.authz.free.a=b");
        let section = tree.load().expect("good").section(&["bundles", "authz"]).expect("there");
        section.parse::<Bundle>().expect_err("does not fit").to_string()
    };
    let text = |text: &str| misfit(layers().text("low.yaml", text));
    assert_eq!(
        text("bundles: {authz: {polling: {min: x}}}"),
        r#"bundles.authz.polling.min: invalid type: string "x", expected u64 (from low.yaml)"#
    );
    assert_eq!(text("bundles: {authz: {polling: {}}}"), "bundles.authz.polling: missing field `min` (from low.yaml)");
    assert_eq!(
        text("bundles: {authz: {many: [{min: 1}, {min: -1}]}}"),
        "bundles.authz.many[1].min: invalid value: integer `-1`, expected u64 (from low.yaml)"
    );
    assert_eq!(
        text("bundles: {authz: {polling: p}}"),
        r#"bundles.authz.polling: invalid type: string "p", expected an object (from low.yaml)"#
    );
    assert_eq!(
        misfit(layers().set("bundles.authz.free.b={}")),
        "bundles.authz.free.b: invalid type: sequence, expected a string (from --set)"
    );
    assert_eq!(
        text("bundles: {authz: {token: hunter2}}"),
        "bundles.authz.token: invalid value, expected u64 (from low.yaml)"
    );
}

#[test]
fn sections_know_their_place() {
    let tree = layers()
        .text("a.yaml", "bundles: {x.y: {service: s, none: null}, z: {}, off: null}")
        .set("bundles.z.polling.min=1")
        .load()
        .expect("good");
    let bundles = tree.section(&["bundles"]).expect("there");
    let children: Vec<_> = bundles.children().map(|(name, section)| (name, section.name().to_owned())).collect();
    assert_eq!(children, [("x.y".to_owned(), "bundles.x.y".to_owned()), ("z".to_owned(), "bundles.z".to_owned())]);
    let dotted = bundles.child("x.y").expect("there");
    assert!(dotted.child("none").is_none() && dotted.child("service").is_some());
    assert_eq!(encode(dotted.value()), r#"{"none":null,"service":"s"}"#);
    assert_eq!(bundles.error("x.y", "is odd").to_string(), "bundles.x.y: is odd (from a.yaml)");
    assert_eq!(bundles.error("z.polling.min", "is odd").to_string(), "bundles.z.polling.min: is odd (from --set)");
    assert_eq!(dotted.error("", "is odd").to_string(), "bundles.x.y: is odd (from a.yaml)");
    assert_eq!(dotted.origin("service"), "a.yaml");
    assert_eq!(tree.section(&[]).expect("the root").error("a", "is odd").path(), "a");
}

#[test]
fn equal_sections_have_not_changed() {
    let text = "bundles: {authz: {service: s}}";
    let other = layers().set("bundles.authz.service=s").load().expect("good");
    assert_eq!(bundle(text), other.section(&["bundles", "authz"]).expect("there"));
    assert_ne!(bundle(text), bundle("bundles: {authz: {service: t}}"));
}

#[test]
fn nothing_shows_a_secret() {
    let tree = tree(
        "services: {a: {headers: {X-Auth: hunter2}, credentials: {bearer: {token: hunter2}}}}\nkeys: {k: {key: hunter2}}\n",
    );
    let section = tree.section(&["services"]).expect("there");
    assert!(!format!("{tree:?} {section:?} {}", encode(&tree.redacted())).contains("hunter2"));
    assert_eq!(tree.get(&["keys", "k", "key"]).and_then(Value::as_str), Some("hunter2"));
}
