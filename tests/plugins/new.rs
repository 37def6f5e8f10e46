//! Crates that `regent plugin new` writes.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::build::{regent, root};

const KINDS: [&str; 6] = ["sink", "fetcher", "verifier", "builtin", "credential", "plugin"];

/// The lines of a section of the workspace's manifest, so that what was built for it need not be built again.
fn profile(name: &str) -> String {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let (_, section) = manifest.split_once(&format!("[profile.{name}]\n")).expect("the section");
    format!("[profile.{name}]\n{}\n", section.split("\n[").next().unwrap_or_default())
}

#[test]
fn every_kind_builds_and_its_test_passes() {
    let folder = tempfile::tempdir().expect("a directory");
    let into = folder.path().to_str().expect("a plain path");
    for kind in KINDS {
        for (form, name) in [(None, format!("my{kind}")), (Some("--library"), format!("library-{kind}_of_mine"))] {
            let flags = ["plugin", "new", &name, "--kind", kind, "--into", into];
            let made = regent(&[&flags[..], form.as_slice()].concat());
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
    }
    let mut manifest = "[workspace]\nresolver = \"3\"\nmembers = [\"my*\", \"library*\"]\n\n".to_owned();
    for name in ["dev", "dev.package.zlib-rs"] {
        write!(manifest, "{}", profile(name)).expect("writing into memory");
    }
    std::fs::write(folder.path().join("Cargo.toml"), manifest).expect("written");
    std::fs::copy(root().join("Cargo.lock"), folder.path().join("Cargo.lock")).expect("copied");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the build folder");
    let tested = Command::new(env!("CARGO"))
        .current_dir(folder.path())
        .env("CARGO_TARGET_DIR", target)
        .args(["test", "--offline", "--workspace"])
        .output()
        .expect("cargo runs");
    let said = [tested.stdout, tested.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(tested.status.success(), "{said}");
    assert!(!said.contains("\nwarning"), "{said}");
    assert!(said.matches("... ok\n").count() >= 2 * KINDS.len(), "{said}");
}

#[test]
fn names_and_places_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().expect("a directory");
    let into = folder.path().to_str().expect("a plain path");
    let new = |name: &str| {
        let refused = regent(&["plugin", "new", name, "--kind", "sink", "--into", into]);
        (refused.status.success(), String::from_utf8(refused.stderr).expect("text"))
    };
    for name in ["Acme", "1acme", "acme-", "-acme", "../acme-x", "acme.x", "acme--x", "", "fn", "tokio"] {
        let (made, said) = new(name);
        assert!(!made, "{name}");
        let reasons = ["is no name", "unknown shorthand flag", "means something else in Rust"];
        assert!(reasons.iter().any(|reason| said.contains(reason)), "{name}: {said}");
    }
    assert_eq!(new("acme-x"), (true, String::new()));
    let (made, said) = new("acme-x");
    assert!(!made && said.contains("acme-x: File exists"), "{said}");
}
