//! The bundle format: what is read, every error's text, and archives made to do harm.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use regent_bundle::format::{Bundle, FormatError, Limits, Trust};
use regent_core::Value;
use regent_core::store::{Patch, PatchOp};
use regent_core::value::Path;
use regent_kit::{Bundle as Kit, EntryType};
use serde_json::json;

fn read(bytes: &[u8]) -> Result<Bundle, FormatError> {
    Bundle::from_archive(bytes, &Limits::default(), Trust::Blind)
}

fn good() -> Kit {
    Kit::new()
        .data("", json!({"top": 1}))
        .data("roles/admin", json!({"name": "ann"}))
        .file("/roles/data.yaml", "user: {old: yes, num: 1.50}\n")
        .file("./deep/data.yml", "- 1\n")
        .rego("/authz/policy.rego", "package authz\n\nallow := true\n")
        .file("ignored.json", "{")
        .file("README.md", b"\xff".to_vec())
        .manifest(json!({"revision": "r1", "metadata": {"team": "a"}, "unknown": true}))
}

fn error(kit: &Kit) -> String {
    read(&kit.build()).expect_err("no bundle").to_string()
}

#[test]
fn a_bundle_is_read_from_an_archive() {
    let bundle = read(&good().build()).expect("a bundle");
    let data = r#"{"deep":[1],"roles":{"admin":{"name":"ann"},"user":{"num":1.5,"old":true}},"top":1}"#;
    assert_eq!(bundle.data.to_string(), data);
    assert_eq!(bundle.manifest.to_value().to_string(), r#"{"metadata":{"team":"a"},"revision":"r1","roots":[""]}"#);
    let modules: Vec<_> = bundle.modules.iter().map(|module| module.path.as_str()).collect();
    assert_eq!(modules, ["authz/policy.rego"]);
    assert_eq!(bundle.sizes.entries, 8);
}

#[test]
fn a_directory_reads_the_same() {
    let directory = tempfile::tempdir().expect("a directory");
    let kit = Kit::new().data("", json!({"top": 1})).rego("a/p.rego", "package a").revision("r1");
    kit.write_dir(directory.path()).expect("written");
    let from_directory = Bundle::from_directory(directory.path(), &Limits::default(), Trust::Blind).expect("a bundle");
    let mut from_archive = read(&kit.build()).expect("a bundle");
    from_archive.sizes = from_directory.sizes;
    assert_eq!(from_directory, from_archive);
}

#[cfg(unix)]
#[test]
fn links_in_a_directory_are_passed_over() {
    let directory = tempfile::tempdir().expect("a directory");
    Kit::new().data("", json!({"a": 1})).write_dir(directory.path()).expect("written");
    std::os::unix::fs::symlink("/etc/passwd", directory.path().join("x.rego")).expect("a link");
    std::os::unix::fs::symlink(".", directory.path().join("circle")).expect("a link");
    let bundle = Bundle::from_directory(directory.path(), &Limits::default(), Trust::Blind).expect("a bundle");
    assert!(bundle.modules.is_empty());
}

#[test]
fn broken_files_are_named_with_the_reason() {
    let check = |kit: Kit, expected: &str| assert_eq!(error(&kit), expected);
    check(Kit::new().file("a/data.json", "{"), "bundle load failed on a/data.json: unexpected EOF");
    check(Kit::new().file("data.json", "[]"), "bundle load failed on data.json: root value must be object");
    check(
        Kit::new().data("a", json!({"b": 1})).file("a/b/data.yaml", "c: 1"),
        "bundle load failed on a/b/data.yaml: failed to insert data file from path a/b",
    );
    check(Kit::new().file("x.rego", b"\xff".to_vec()), "bundle load failed on x.rego: file is not valid UTF-8");
    check(Kit::new().file(".manifest", "{"), "bundle load failed on manifest decode: unexpected EOF");
    check(Kit::new().roots(["a/b", "a"]), "manifest has overlapped roots: 'a/b' and 'a'");
    assert!(error(&Kit::new().file("data.yaml", "a: [")).starts_with("bundle load failed on data.yaml: "));
}

#[test]
fn content_outside_the_roots_is_refused() {
    let kit = |data| Kit::new().roots(["a/b", "c"]).data("", data);
    read(&kit(json!({"a": {"b": 1}, "c": 2})).build()).expect("within the roots");
    let refusal = |path: &str| {
        format!("manifest roots [a/b c] do not permit data at path '/{path}' (hint: check bundle directory structure)")
    };
    assert_eq!(error(&kit(json!({"d": {"e": 1}}))), refusal("d"));
    assert_eq!(error(&kit(json!({"a": {"x": 1}}))), refusal("a/x"));
    assert_eq!(error(&kit(json!({"a": 1}))), refusal("a"));
    read(&Kit::new().roots([]).build()).expect("owning nothing and holding nothing is fine");
}

#[test]
fn what_is_no_archive_is_refused() {
    let text = |bytes: &[u8]| read(bytes).expect_err("no archive").to_string();
    let whole = good().build();
    assert!(text(b"no gzip at all").starts_with("archive read failed: "));
    assert!(text(b"").starts_with("archive read failed: "));
    for end in [10, whole.len() / 2, whole.len() - 5] {
        assert!(text(&whole[..end]).starts_with("archive read failed: "), "cut at {end}");
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&[b'x'; 2000]).expect("a vector takes it");
    assert!(text(&gzip.finish().expect("a vector takes it")).starts_with("archive read failed: "));
}

#[test]
fn entries_that_leave_the_bundle_or_are_no_files_are_refused() {
    let prefix = "archive read failed: entry ";
    assert_eq!(
        error(&Kit::new().file("../../etc/x.rego", "")),
        format!(r#"{prefix}"../../etc/x.rego" leaves the bundle"#)
    );
    let long = format!("{}/../../x.rego", "a".repeat(150));
    assert_eq!(error(&Kit::new().file(&long, "")), format!("{prefix}{long:?} leaves the bundle"));
    let entry = |kind| error(&Kit::new().entry(kind, "x.rego", "/etc/passwd"));
    assert_eq!(entry(EntryType::Symlink), format!(r#"{prefix}"x.rego" is a link, not a file"#));
    assert_eq!(entry(EntryType::Link), format!(r#"{prefix}"x.rego" is a link, not a file"#));
    assert_eq!(entry(EntryType::Char), format!(r#"{prefix}"x.rego" is a device, not a file"#));
    assert_eq!(entry(EntryType::Fifo), format!(r#"{prefix}"x.rego" is a device, not a file"#));
    read(&Kit::new().entry(EntryType::Directory, "a/", "").build()).expect("directories are fine");
}

#[test]
fn long_names_are_understood() {
    let path = format!("{}/x.rego", "a".repeat(150));
    let bundle = read(&Kit::new().file(&path, "package a").build()).expect("a bundle");
    assert_eq!(bundle.modules[0].path, path);
}

#[test]
fn changes_are_read_from_a_patch() {
    let patch = r#"{"data":[{"op":"upsert","path":"/a/b~1c/%64","value":1},{"op":"remove","path":"a/e/"},
                            {"op":"replace","path":"/a/f"}]}"#;
    let bundle = read(&Kit::new().roots(["a"]).revision("r2").file("/patch.json", patch).build()).expect("a bundle");
    let change = |op, keys: &[&str]| Patch { op, path: Path::new(keys.iter().copied()) };
    let changes = [
        change(PatchOp::Add(1_i64.into()), &["a", "b/c", "d"]),
        change(PatchOp::Remove, &["a", "e"]),
        change(PatchOp::Replace(Value::default()), &["a", "f"]),
    ];
    assert!(bundle.is_delta());
    assert_eq!(bundle.changes, changes);
    let nothing = read(&Kit::new().file("patch.json", r#"{"data":[]}"#).data("a", json!(1)).build());
    assert!(!nothing.expect("a bundle").is_delta(), "a patch without changes says nothing");
}

#[test]
fn changes_that_make_no_sense_are_named() {
    let check = |patch: &str, expected: &str| {
        assert_eq!(error(&Kit::new().roots(["a/b"]).file("patch.json", patch)), expected);
    };
    let outside = "manifest roots [a/b] do not permit data patch at path ";
    check(r#"{"data":[{"op":"upsert","path":"/a","value":1}]}"#, &format!("{outside}'a'"));
    check(r#"{"data":[{"op":"remove","path":"/a/b%2fc"}]}"#, &format!("{outside}'a/b%2fc'"));
    check(r#"{"data":[{"op":"add","path":"/a/b"}]}"#, "bad patch operation: add");
    check("[", "bundle load failed on patch decode: unexpected EOF");
    let decode = "bundle load failed on patch decode: cannot use ";
    check(r#"{"data":1}"#, &format!("{decode}number as patch key \"data\", want array"));
    check(r#"{"data":[{"op":1}]}"#, &format!("{decode}number as patch key \"op\", want string"));
    let deep = format!(r#"{{"data":[{{"op":"remove","path":"{}"}}]}}"#, "/a".repeat(300));
    check(&deep, "bundle load failed on patch decode: path of more than 255 keys");
}

#[test]
fn changes_come_alone() {
    let patch = || Kit::new().file("patch.json", r#"{"data":[{"op":"remove","path":"/a"}]}"#);
    let only = "delta bundle expected to contain only patch file but ";
    assert_eq!(error(&patch().data("b", json!(1))), format!("{only}data files found"));
    assert_eq!(error(&patch().rego("b.rego", "package b")), format!("{only}policy files found"));
    assert_eq!(error(&patch().file("policy.wasm", "")), format!("{only}wasm files found"));
}

#[test]
fn sizes_are_limited() {
    let limited = |kit: &Kit, limits: Limits| {
        Bundle::from_archive(&kit.build()[..], &limits, Trust::Blind).expect_err("too large").to_string()
    };
    let large = Kit::new().file("a/data.json", format!("\"{}\"", "x".repeat(5000)));
    assert_eq!(
        limited(&large, Limits::of(1000)),
        "bundle file a/data.json size (5002 bytes) exceeds configured size_limit_bytes (1000 bytes)"
    );
    assert!(limited(&Kit::new().file("ignored.bin", vec![0; 5000]), Limits::of(1000)).contains("ignored.bin"));
    let bomb = Kit::new().file("ignored.bin", vec![0; 1 << 20]);
    let limits = Limits { total: 100_000, ..Limits::default() };
    assert_eq!(limited(&bomb, limits), "bundle size exceeds configured size_limit_bytes (100000 bytes)");
    let several = (0..3).fold(Kit::new(), |kit, n| kit.file(format!("{n}/data.json"), r#"{"a": 1}"#));
    assert_eq!(limited(&several, Limits::of(20)), "bundle size exceeds configured size_limit_bytes (20 bytes)");
    let many = (0..20).fold(Kit::new(), |kit, n| kit.file(format!("{n}"), ""));
    let limits = Limits { entries: 10, ..Limits::default() };
    assert_eq!(limited(&many, limits), "archive read failed: more than 10 entries");
    let limits = Limits { archive: 10, ..Limits::default() };
    assert_eq!(limited(&many, limits), "archive read failed: archive exceeds 10 bytes");
}

#[test]
fn a_header_made_to_exhaust_memory_is_refused() {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(10 << 20);
    header.set_cksum();
    tar.append(&header, &vec![b'a'; 10 << 20][..]).expect("a vector takes it");
    let bytes = tar.into_inner().and_then(GzEncoder::finish).expect("a vector takes it");
    let error = read(&bytes).expect_err("too long a name").to_string();
    assert_eq!(error, "archive read failed: header of more than 65536 bytes");
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
    let deep = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    assert!(read(&Kit::new().file("data.json", deep(400)).build()).is_ok());
    let too_deep = error(&Kit::new().file("data.json", deep(100_000)));
    assert_eq!(too_deep, "bundle load failed on data.json: exceeded max depth");
    let flow = format!("{}1{}", "{a: ".repeat(100_000), "}".repeat(100_000));
    assert!(error(&Kit::new().file("data.yaml", flow)).starts_with("bundle load failed on data.yaml: "));
    let twice = Kit::new().file("data.json", deep(400)).file("a/data.json", deep(400));
    assert!(error(&twice).contains("failed to insert data file"));
    let outside = Kit::new().roots(["a/b"]).file("data.json", deep(400));
    assert!(error(&outside).contains("do not permit data at path '/a/a/a"));
    let path = format!("{}data.json", "a/".repeat(30_000));
    assert_eq!(error(&Kit::new().file(path, "1")), "archive read failed: entry name of more than 255 parts");
}

/// A generator with a fixed seed, so that a failure can be seen again (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("below a usize")
    }
}

/// Changes some bytes, cuts some off, or repeats some.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 => bytes.truncate(at.max(1)),
            1 => bytes.extend_from_within(at..),
            _ => bytes[at] = u8::try_from(random.below(256)).expect("below 256"),
        }
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let limits = Limits { total: 1 << 20, ..Limits::of(1 << 16) };
    let packed = good().build();
    let mut plain = Vec::new();
    std::io::copy(&mut flate2::read::GzDecoder::new(&packed[..]), &mut plain).expect("gzip");
    let mut random = Random(0x5eed);
    for round in 0..3000 {
        let mut bytes = if round % 2 == 0 { packed.clone() } else { plain.clone() };
        mutate(&mut bytes, &mut random);
        if round % 2 == 1 {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(&bytes).expect("a vector takes it");
            bytes = gzip.finish().expect("a vector takes it");
        }
        if let Ok(bundle) = Bundle::from_archive(&bytes[..], &limits, Trust::Blind) {
            assert!(bundle.data.is_object());
        }
    }
}

#[test]
fn policies_compiled_to_wasm_are_named_and_their_list_has_to_be_sound() {
    let list = |entries: serde_json::Value| {
        let manifest = json!({"roots": ["a"], "wasm": entries});
        Kit::new().rego("a.rego", "package a").file("policy.wasm", "\0asm").file("x/policy.wasm", "").manifest(manifest)
    };
    let entry = |entrypoint: &str, module: &str| json!({"entrypoint": entrypoint, "module": module});
    let both = list(json!([entry("a/allow", "/policy.wasm"), entry("a/deny", "x/policy.wasm")]));
    let bundle = read(&both.build()).expect("a bundle");
    assert_eq!((bundle.modules.len(), bundle.wasm.len()), (1, 2));
    let expected = "policies compiled to Wasm are not run: policy.wasm, x/policy.wasm; what they decide is undefined \
                    unless a policy in Rego decides it: a/allow, a/deny";
    assert_eq!(bundle.warnings(), [expected]);
    for (entries, expected) in [
        (
            json!([entry("a", "/p.wasm")]),
            "manifest references wasm module '/p.wasm' but the module file does not exist",
        ),
        (
            json!([entry("b/x", "/policy.wasm")]),
            "manifest roots [a] do not permit 'b/x' entrypoint for wasm module '/policy.wasm'",
        ),
        (
            json!([entry("a/x", "policy.wasm"), entry("a/x", "x/policy.wasm")]),
            "entrypoint 'a/x' cannot be used by more than one wasm module",
        ),
    ] {
        assert_eq!(error(&list(entries)), expected);
    }
}
