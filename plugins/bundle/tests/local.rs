//! Files and bundles that a command line names.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use regent_bundle::files::{Ignore, Loaded, load};
use regent_bundle::format::Limits;
use regent_bundle::local::{LocalTrust, load_local};
use regent_core::engine::{CompileOptions, Module, RegoVersion};
use regent_core::store::BundlePayload;
use regent_core::{Store, Value};
use regent_engine_rego::RegoEngine;
use regent_kit::Bundle as Kit;
use serde_json::json;

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("directories");
        fs::write(path, text).expect("a file");
    }
}

/// Loads paths below `root`; in results `root` shows as `R`.
fn try_load(root: &Path, arguments: &[&str], ignore: &[&str]) -> Result<Loaded, String> {
    let root = root.display().to_string();
    let arguments: Vec<String> = arguments.iter().map(|argument| argument.replace('R', &root)).collect();
    let ignore = Ignore::new(ignore).expect("patterns");
    load(&arguments, &ignore, RegoVersion::V1).map_err(|errors| errors.to_string().replace(&root, "R"))
}

fn data(root: &Path, arguments: &[&str], ignore: &[&str]) -> String {
    try_load(root, arguments, ignore).expect("loads").data.to_string()
}

#[test]
fn directories_become_prefixes_of_data() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path();
    write(
        root,
        &[
            ("x.rego", "package x"),
            ("top.yaml", "on_top: yes"),
            ("a/b/any.json", r#"{"n": 1.0} trailing"#),
            ("a/b/c/other.yml", "m: 2"),
            ("a/.hidden/h.json", r#"{"h": 1}"#),
            ("a/README.md", "{"),
        ],
    );
    let all = r#"{"a":{".hidden":{"h":1},"b":{"c":{"m":2},"n":1.0}},"on_top":true}"#;
    assert_eq!(data(root, &["R"], &[]), all);
    assert_eq!(data(root, &["file://R"], &[".*"]), r#"{"a":{"b":{"c":{"m":2},"n":1.0}},"on_top":true}"#);
    assert_eq!(data(root, &["p.q:R/a/b/any.json", "R/top.yaml"], &[]), r#"{"on_top":true,"p":{"q":{"n":1.0}}}"#);
    let sources = try_load(root, &["R/", "R/x.rego"], &[]).expect("loads").sources;
    let ids: Vec<_> = sources.iter().map(|source| source.id.replace(&root.display().to_string(), "R")).collect();
    assert_eq!(ids, ["R/x.rego"]);
}

#[test]
fn an_array_may_be_mounted_at_a_prefix_only() {
    let directory = tempfile::tempdir().expect("a directory");
    write(directory.path(), &[("eu.json", r#"["10.1.0.0/16"]"#)]);
    assert_eq!(data(directory.path(), &["nets.eu:R/eu.json"], &[]), r#"{"nets":{"eu":["10.1.0.0/16"]}}"#);
    let error = try_load(directory.path(), &["R/eu.json"], &[]).expect_err("no object");
    assert_eq!(error, "1 error occurred during loading: R/eu.json: document must be of type object");
}

#[test]
fn all_errors_are_reported() {
    let directory = tempfile::tempdir().expect("a directory");
    write(
        directory.path(),
        &[
            ("clash/a.json", r#"{"limits": {"max": 1}}"#),
            ("clash/b.json", r#"{"limits": {"max": 2}}"#),
            ("broken.json", "{"),
            ("what.bin", "- 1"),
        ],
    );
    let error = try_load(directory.path(), &["R/clash", "R/broken.json", "R/absent.rego", "R/what.bin"], &[]);
    assert_eq!(
        error.expect_err("errors"),
        "4 errors occurred during loading:\nR/clash/b.json: merge error\nR/broken.json: unexpected EOF\n\
         stat R/absent.rego: no such file or directory\nR/what.bin: can't recognize file type"
    );
}

#[test]
fn an_archive_among_the_files_gives_what_it_holds() {
    let directory = tempfile::tempdir().expect("a directory");
    let bundle = Kit::new().data("a", json!({"x": 1})).rego("/p.rego", "package p").build();
    fs::write(directory.path().join("b.tar.gz"), bundle).expect("a file");
    let loaded = try_load(directory.path(), &["R"], &[]).expect("loads");
    assert_eq!(loaded.data.to_string(), r#"{"a":{"x":1}}"#);
    assert_eq!(&*loaded.sources[0].id, "p.rego");
}

fn store() -> Store {
    let engine = Arc::new(RegoEngine::default());
    Store::new(engine, CompileOptions::default(), Value::empty_object()).expect("a store")
}

#[tokio::test]
async fn a_bundle_directory_has_opas_policy_ids() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path().join("bundle");
    let kit = Kit::new()
        .rego("authz.rego", "package authz\n\nallow := data.roles.admin")
        .data("roles", json!({"admin": "ann"}));
    kit.roots(["authz", "roles"]).revision("rev-1").write_dir(&root).expect("written");
    let path = root.display().to_string();
    let store = store();
    let local = load_local(&path, &Limits::default(), &Ignore::default(), &LocalTrust::default()).expect("a bundle");
    let content = local.prepare(&store, RegoVersion::V1).expect("it parses");
    store.write(move |transaction| transaction.activate(vec![content])).await.expect("it activates");
    let snapshot = store.snapshot();
    let ids: Vec<String> = snapshot.policies().keys().map(ToString::to_string).collect();
    assert_eq!(ids, [format!("{path}{path}/authz.rego")]);
    assert_eq!(&*snapshot.policies()[&*ids[0]].source().file, format!("{path}/authz.rego"));
    let system = snapshot.data().at(["system", "bundles", &path]).expect("it is noted");
    assert_eq!(system.to_string(), r#"{"etag":"","manifest":{"revision":"rev-1","roots":["authz","roles"]}}"#);
    assert_eq!(store.engine().name(), "rego");
}

#[tokio::test]
async fn modules_that_are_the_same_are_not_parsed_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("b.tar.gz").display().to_string();
    let store = store();
    let prepared = |changed: &str, version| {
        let kit =
            Kit::new().rego("a.rego", "package a\n\np := 1").rego("b.rego", &format!("package b\n\np := {changed}"));
        fs::write(&path, kit.build()).expect("a file");
        let local = load_local(&path, &Limits::default(), &Ignore::default(), &LocalTrust::default());
        local.expect("a bundle").prepare(&store, version).expect("it parses")
    };
    let content = prepared("1", RegoVersion::V1);
    store.write(move |transaction| transaction.activate(vec![content])).await.expect("it activates");
    let same = |changed, version| {
        let BundlePayload::Snapshot { modules, .. } = prepared(changed, version).payload else { panic!("it is whole") };
        let known = store.snapshot();
        let is_known = |module: &Arc<dyn Module>| Arc::ptr_eq(module, &known.policies()[&module.source().id]);
        modules.iter().map(is_known).collect::<Vec<_>>()
    };
    assert_eq!(same("1", RegoVersion::V1), [true, true]);
    assert_eq!(same("2", RegoVersion::V1), [true, false]);
    assert_eq!(same("1", RegoVersion::V0), [false, false], "the same text in another dialect is another module");
}

#[test]
fn a_module_outside_the_roots_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("b.tar.gz");
    fs::write(&path, Kit::new().rego("x/u.rego", "package x.u").roots(["a", "b"]).build()).expect("a file");
    let local = load_local(&path.display().to_string(), &Limits::default(), &Ignore::default(), &LocalTrust::default())
        .expect("a bundle");
    let error = local.prepare(&store(), RegoVersion::V1).err().expect("outside").to_string();
    assert_eq!(error, "manifest roots [a b] do not permit 'package x.u' in module 'x/u.rego'");
}
