//! Bundles read back with other eyes than those that wrote them.

use std::io::Read;

use flate2::read::GzDecoder;
use regent_kit::{Bundle, EntryType};
use serde_json::{Value, json};

struct Found {
    kind: EntryType,
    path: String,
    link_target: Option<String>,
    contents: Vec<u8>,
}

fn read(bundle: &[u8]) -> Vec<Found> {
    let mut archive = tar::Archive::new(GzDecoder::new(bundle));
    let entries = archive.entries().expect("a tar archive");
    let found = entries.map(|entry| {
        let mut entry = entry.expect("a complete entry");
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).expect("complete contents");
        Found {
            kind: entry.header().entry_type(),
            path: String::from_utf8(entry.path_bytes().into_owned()).expect("a UTF-8 name"),
            link_target: entry.link_name_bytes().map(|name| String::from_utf8_lossy(&name).into_owned()),
            contents,
        }
    });
    found.collect()
}

fn sample() -> Bundle {
    Bundle::new()
        .rego("authz/policy.rego", "package authz")
        .data("", json!({"root": true}))
        .data("/authz/", json!({"users": ["alice"]}))
        .manifest(json!({"metadata": {"team": "a"}, "revision": "v0"}))
        .revision("v1")
        .roots(["authz", "root"])
}

#[test]
fn files_come_in_order_and_the_manifest_last() {
    let found = read(&sample().build());
    let paths: Vec<_> = found.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["authz/policy.rego", "data.json", "authz/data.json", ".manifest"]);
    assert_eq!(found[0].contents, b"package authz");

    let manifest: Value = serde_json::from_slice(&found[3].contents).expect("a JSON manifest");
    assert_eq!(manifest, json!({"metadata": {"team": "a"}, "revision": "v1", "roots": ["authz", "root"]}));
}

#[test]
fn equal_bundles_are_equal_byte_for_byte() {
    assert_eq!(sample().build(), sample().build());
    assert_ne!(sample().build(), sample().revision("v2").build());
    assert!(read(&Bundle::new().build()).is_empty());
}

#[test]
fn hostile_names_and_links_survive_as_written() {
    let long = format!("../{}/passwd", "deep/".repeat(60));
    let bundle = Bundle::new()
        .file("../../etc/passwd", "root")
        .file("/absolute.rego", "package x")
        .file(long.as_str(), "long")
        .file("a/../b\\c.rego", "package y")
        .entry(EntryType::Symlink, "data.json", "../../../etc/shadow")
        .entry(EntryType::Link, "hard", "/etc/hosts")
        .entry(EntryType::Directory, "dir/", "")
        .entry(EntryType::Fifo, "pipe", "");
    let found = read(&bundle.build());

    let paths: Vec<_> = found.iter().map(|entry| entry.path.as_str()).collect();
    let expected = ["../../etc/passwd", "/absolute.rego", &long, "a/../b\\c.rego", "data.json", "hard", "dir/", "pipe"];
    assert_eq!(paths, expected);
    assert_eq!(found[2].contents, b"long");
    assert_eq!(found[4].kind, EntryType::Symlink);
    assert_eq!(found[4].link_target.as_deref(), Some("../../../etc/shadow"));
    assert_eq!(found[5].link_target.as_deref(), Some("/etc/hosts"));
    assert_eq!(found[7].kind, EntryType::Fifo);
}

#[test]
fn a_directory_holds_the_same_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let target = directory.path().join("bundle");
    sample().write_dir(&target).expect("tame files can be written");

    let policy = std::fs::read_to_string(target.join("authz/policy.rego")).expect("the policy");
    assert_eq!(policy, "package authz");
    assert!(target.join(".manifest").exists());
}

#[test]
fn a_directory_takes_nothing_hostile() {
    let directory = tempfile::tempdir().expect("a directory");
    let hostile = [
        Bundle::new().file("../outside", "x"),
        Bundle::new().file("/tmp/outside", "x"),
        Bundle::new().entry(EntryType::Symlink, "link", "/etc/passwd"),
    ];
    for bundle in hostile {
        let refusal = bundle.write_dir(directory.path()).expect_err("refused");
        assert!(refusal.to_string().ends_with("is for archives only"), "{refusal}");
    }
}
