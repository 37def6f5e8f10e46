//! What the files of a signed bundle have to be.

use regent_bundle::files::Ignore;
use regent_bundle::format::sign::{files_of_archive, files_of_directory};
use regent_bundle::format::{Bundle, Limits, Trust};
use regent_bundle::local::{LocalTrust, load_local};
use regent_core::signing::{SignedFile, Verification};
use regent_kit::Bundle as Kit;
use regent_signing::digest::FileDigest;
use serde_json::json;

use crate::{FILES, plain, read_as, refusal, signature, signature_of, signed, trusting, verifiers};

/// The plain bundle with the file's content changed, under the signature of the unchanged one.
fn changed(path: &str, content: &str) -> Kit {
    let mut kit = Kit::new();
    let mut found = false;
    for (name, old) in FILES.into_iter().chain([(".manifest", r#"{"revision": "r1"}"#)]) {
        kit = kit.file(name, if name == path { content } else { old });
        found |= name == path;
    }
    assert!(found, "{path}");
    kit.file(".signatures.json", signature_of(&plain()))
}

#[test]
fn a_changed_byte_is_found_in_every_kind_of_file() {
    for (path, content) in [
        ("authz/policy.rego", "package authz\n\nallow := tru3\n"),
        ("roles/data.json", r#"{"admin": 1.51, "b": ["<x>"]}"#),
        ("roles/data.json", r#"{"admin": 1.5, "b": ["<x>"]}"#),
        ("users/data.yaml", "ann: 1.51\n"),
        ("teams/data.yml", "ops: 2\n"),
        ("README.md", "read mE"),
        ("notes/.manifest", r#"{"a": 2}"#),
        ("policy.wasm", "\0asn"),
        (".manifest", r#"{"revision": "r2"}"#),
    ] {
        let error = refusal(&changed(path, content));
        assert!(error.starts_with(&format!("{path}: digest mismatch (want: ")), "{path}: {error}");
    }
    let all = read_as(&changed("README.md", "read me"), Some(&trusting())).expect("unchanged");
    assert_eq!((all.modules.len(), all.wasm.len(), &*all.manifest.revision), (2, 1, "r1"));
}

#[test]
fn a_mismatch_shows_both_digests() {
    let sha = |text: &str| FileDigest::Sha256.of_bytes(text.as_bytes());
    let (want, got) = (sha("read me"), sha("?"));
    assert_eq!(refusal(&changed("README.md", "?")), format!("README.md: digest mismatch (want: {want}, got: {got})"));
}

#[test]
fn spaces_and_the_order_of_keys_matter_only_in_files_that_are_taken_for_their_bytes() {
    for (path, content) in [
        ("roles/data.json", "{\"b\":[\n\"<x>\"],\n \"admin\":1.50}"),
        ("users/data.yaml", "# a comment\nann:   1.5\n"),
        (".manifest", "{\n\"revision\":\"r1\"}"),
        ("notes/.manifest", "{\"a\":1}"),
    ] {
        read_as(&changed(path, content), Some(&trusting())).expect("the same content");
    }
    for (path, content) in [("teams/data.yml", "ops:  1\n"), ("authz/policy.rego", "package authz\nallow := true\n")] {
        assert!(refusal(&changed(path, content)).contains("digest mismatch"), "{path}");
    }
}

#[test]
fn files_that_were_swapped_added_removed_or_renamed_are_found() {
    let two = |first: &str, second: &str| Kit::new().rego("a.rego", first).rego("b.rego", second);
    let good = two("package a", "package b");
    let signature = signature_of(&good);
    let with = |kit: Kit| refusal(&kit.file(".signatures.json", signature.clone()));
    assert!(with(two("package b", "package a")).starts_with("a.rego: digest mismatch "));
    assert_eq!(with(good.clone().rego("c.rego", "package c")), "file c.rego not included in bundle signature");
    assert_eq!(with(good.clone().file("x.txt", "x")), "file x.txt not included in bundle signature");
    let missing =
        |names: &str| format!("file(s) [{names}] specified in bundle signatures but not found in the target bundle");
    assert_eq!(with(Kit::new().rego("a.rego", "package a")), missing("b.rego"));
    assert_eq!(with(Kit::new()), missing("a.rego b.rego"));
    let renamed = Kit::new().rego("a.rego", "package a").rego("c.rego", "package b");
    assert_eq!(with(renamed), "file c.rego not included in bundle signature");
    // The second one would take the place of the first one.
    assert_eq!(with(good.clone().rego("a.rego", "package z")), "file a.rego not included in bundle signature");
    assert_eq!(with(good.clone().rego("/a.rego", "package a")), "file a.rego not included in bundle signature");
    assert_eq!(with(good.file("x/.signatures.json", "{}")), "file x/.signatures.json not included in bundle signature");
}

#[test]
fn every_digest_is_understood_and_no_other() {
    let kit = Kit::new().rego("a.rego", "package a");
    let list = |algorithm: &str, hash: String| {
        let file = SignedFile { name: "a.rego".to_owned(), hash, algorithm: algorithm.to_owned() };
        kit.clone().file(".signatures.json", signature(&[file]))
    };
    for name in ["MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512", "SHA-512-224", "SHA-512-256"] {
        let hash = FileDigest::of_name(name).expect("a digest").of_bytes(b"package a");
        read_as(&list(name, hash.clone()), Some(&trusting())).expect("the right digest");
        read_as(&list(name, hash.to_uppercase()), Some(&trusting())).expect("the right digest");
        assert!(refusal(&list(name, hash[..hash.len() - 2].to_owned())).starts_with("a.rego: digest mismatch "));
    }
    let hash = FileDigest::Sha256.of_bytes(b"package a");
    assert_eq!(refusal(&list("", hash.clone())), "no hashing algorithm provided for file a.rego");
    assert_eq!(refusal(&list("SHA256", hash)), "unsupported hashing algorithm: SHA256");
    assert!(refusal(&list("SHA-256", String::new())).starts_with("a.rego: digest mismatch (want: , got: "));
}

#[test]
fn excluded_files_may_be_anything_but_only_where_the_pattern_says() {
    let excluding = |patterns: &[&str]| Verification {
        exclude_files: patterns.iter().map(ToString::to_string).collect(),
        ..trusting()
    };
    let kit = signed(&Kit::new().rego("a.rego", "package a")).file("x/build.txt", "1").file("y.txt", "2");
    let check = |patterns: &[&str]| read_as(&kit, Some(&excluding(patterns))).map(drop).map_err(|e| e.to_string());
    assert_eq!(check(&["x/*", "*.txt"]), Ok(()));
    assert_eq!(check(&["x/build.txt", "y.txt"]), Ok(()));
    assert_eq!(check(&["*"]), Err("file x/build.txt not included in bundle signature".to_owned()));
    assert_eq!(check(&["**"]), Err("file x/build.txt not included in bundle signature".to_owned()));
    assert_eq!(check(&["x/*"]), Err("file y.txt not included in bundle signature".to_owned()));
    // What is no pattern matches nothing.
    for malformed in ["[", "y.txt[", "\\"] {
        let found = check(&["x/*", malformed]);
        assert_eq!(found, Err("file y.txt not included in bundle signature".to_owned()), "{malformed}");
    }
    // Listed and excluded: changed as one likes, but there.
    let signature = signature_of(&Kit::new().rego("a.rego", "package a"));
    let other = |path: &str| Kit::new().rego(path, "package b").file(".signatures.json", signature.clone());
    assert!(read_as(&other("a.rego"), Some(&excluding(&["a.rego"]))).is_ok());
    assert!(read_as(&other("b.rego"), Some(&excluding(&["*.rego"]))).is_err(), "a.rego is missing");
}

#[test]
fn changes_to_a_bundle_are_verified_like_a_whole_one() {
    let patch = |value: u8| {
        let patch = json!({"data": [{"op": "upsert", "path": "/a/b", "value": value}]});
        Kit::new().file("patch.json", patch.to_string()).revision("r2")
    };
    let required = Verification { required: true, ..trusting() };
    let good = read_as(&signed(&patch(1)), Some(&required)).expect("signed");
    assert!(good.is_delta());
    let tampered = patch(2).file(".signatures.json", signature_of(&patch(1)));
    assert!(refusal(&tampered).starts_with("patch.json: digest mismatch "));
    let error = read_as(&patch(1), Some(&required)).expect_err("unsigned").to_string();
    assert_eq!(error, "bundle missing .signatures.json file");
    let error = read_as(&signed(&patch(1)), None).expect_err("no key").to_string();
    assert_eq!(error, "verification key not provided");
}

#[test]
fn a_directory_of_the_command_line_is_signed_under_its_own_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path().join("src");
    plain().write_dir(&root).expect("written");
    let path = root.to_str().expect("a plain path");
    let files = files_of_directory(&root, path, &Limits::default(), &|name| name == "README.md").expect("a list");
    let names: Vec<_> = files.iter().map(|file| &*file.name).collect();
    assert_eq!(names[0], format!("{}/.manifest", path.trim_start_matches('/')));
    assert!(names.is_sorted() && names.len() == 8, "{names:?}");
    std::fs::write(root.join(".signatures.json"), signature(&files)).expect("written");
    let trust = LocalTrust::Verified(Some(trusting()), std::sync::Arc::new(verifiers()));
    let load = |ignore: &[String], trust: &LocalTrust| {
        let ignore = Ignore::new(ignore).expect("patterns");
        load_local(path, &Limits::default(), &ignore, trust).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(load(&["README.md".to_owned()], &trust), Ok(()));
    assert_eq!(load(&[], &trust), Err(format!("file {}/README.md not included in bundle signature", &path[1..])));
    assert_eq!(load(&[], &LocalTrust::Blind), Ok(()));
    assert_eq!(load(&[], &LocalTrust::default()), Err("verification key not provided".to_owned()));
    // Whoever leaves the signature out has none.
    let required = Verification { required: true, ..trusting() };
    let trust_signed = LocalTrust::Verified(Some(required), std::sync::Arc::new(verifiers()));
    let missing = || Err("bundle missing .signatures.json file".to_owned());
    assert_eq!(load(&["README.md".to_owned()], &trust_signed), Ok(()));
    assert_eq!(load(&["README.md".to_owned(), ".sig*".to_owned()], &trust_signed), missing());
    std::fs::write(root.join("users/data.yaml"), "ann: 2\n").expect("written");
    let error = load(&["README.md".to_owned()], &trust).expect_err("changed");
    assert!(error.starts_with(&format!("{}/users/data.yaml: digest mismatch ", &path[1..])), "{error}");
}

#[test]
fn a_directory_that_is_downloaded_is_signed_by_paths_within_it() {
    let directory = tempfile::tempdir().expect("a directory");
    plain().write_dir(directory.path()).expect("written");
    let within = files_of_directory(directory.path(), "", &Limits::default(), &|_| false).expect("a list");
    assert_eq!(within, files_of_archive(&plain().build()[..], &Limits::default()).expect("a list"));
    std::fs::write(directory.path().join(".signatures.json"), signature(&within)).expect("written");
    // What is signed again is signed without the signature that is there.
    let again = files_of_directory(directory.path(), "", &Limits::default(), &|_| false).expect("a list");
    assert_eq!(again, within);
    assert_eq!(files_of_archive(&signed(&plain()).build()[..], &Limits::default()).expect("a list"), within);
    let (trusting, verifiers) = (trusting(), verifiers());
    let trust = Trust::Verified { verification: Some(&trusting), verifiers: &verifiers, base: "" };
    Bundle::from_directory(directory.path(), &Limits::default(), trust).expect("as signed");
    std::fs::write(directory.path().join("more.txt"), "x").expect("written");
    let refusal = |limits: Limits, trust| {
        Bundle::from_directory(directory.path(), &limits, trust).expect_err("a refusal").to_string()
    };
    assert_eq!(refusal(Limits::default(), trust), "file more.txt not included in bundle signature");
    let large = refusal(Limits { file: 100, ..Limits::default() }, trust);
    assert!(large.starts_with("bundle file .signatures.json size (101 bytes) exceeds "), "{large}");
    // A link is passed over like any other, and a directory where the signature should be is none.
    let required = Verification { required: true, ..trusting.clone() };
    let strict = Trust::Verified { verification: Some(&required), verifiers: &verifiers, base: "" };
    let place = directory.path().join(".signatures.json");
    std::fs::rename(&place, directory.path().join("linked")).expect("renamed");
    std::os::unix::fs::symlink("linked", &place).expect("a link");
    assert_eq!(refusal(Limits::default(), strict), "bundle missing .signatures.json file");
    std::fs::remove_file(&place).expect("removed");
    std::fs::create_dir(&place).expect("a directory");
    assert_eq!(refusal(Limits::default(), strict), "bundle missing .signatures.json file");
}

#[test]
fn limits_hold_for_files_that_are_only_verified() {
    let (trusting, verifiers) = (trusting(), verifiers());
    let trust = Trust::Verified { verification: Some(&trusting), verifiers: &verifiers, base: "" };
    let kit = signed(&Kit::new().file("a.bin", vec![1; 3_000]).file("b.bin", vec![2; 3_000]));
    let read =
        |limits: Limits| Bundle::from_archive(&kit.build()[..], &limits, trust).map_err(|error| error.to_string());
    let bundle = read(Limits::default()).expect("within the limits");
    assert!(bundle.sizes.content > 6_000, "{:?}", bundle.sizes);
    let error = read(Limits { file: 2_999, ..Limits::default() }).expect_err("too large");
    assert!(error.contains("exceeds configured size_limit_bytes (2999 bytes)"), "{error}");
    let error = read(Limits { total: 5_999, ..Limits::default() }).expect_err("too large");
    assert_eq!(error, "bundle size exceeds configured size_limit_bytes (5999 bytes)");
    let signature = signed(&Kit::new().rego("a.rego", "package a"));
    let limits = Limits { file: 100, ..Limits::default() };
    let error = Bundle::from_archive(&signature.build()[..], &limits, trust).expect_err("too large").to_string();
    assert!(error.starts_with("bundle file .signatures.json size ("), "{error}");
    let error = read(Limits { entries: 2, ..Limits::default() }).expect_err("too many");
    assert_eq!(error, "archive read failed: more than 2 entries");
}

#[test]
fn deep_nesting_in_a_file_that_is_only_verified_is_refused() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let file = SignedFile { name: "x/.manifest".to_owned(), hash: "00".to_owned(), algorithm: "MD5".to_owned() };
    let kit = Kit::new().file("x/.manifest", deep).file(".signatures.json", signature(&[file]));
    assert!(refusal(&kit).starts_with("bundle load failed on x/.manifest: "));
}
