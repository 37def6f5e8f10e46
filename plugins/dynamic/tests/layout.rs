//! The header and the types of Rust agree: a program in C says where each field lies.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use regent_plugin_abi as abi;

/// Each field of a type with where Rust has it, and the type with its size.
macro_rules! layout {
    ($of:ident as $c:literal: $($field:ident $(= $theirs:literal)?),+) => {{
        let mut fields = vec![(format!("{} size", $c), size_of::<abi::$of>(), format!("sizeof({})", $c))];
        $(
            let theirs = [$($theirs,)? stringify!($field)][0];
            let place = format!("offsetof({}, {theirs})", $c);
            fields.push((format!("{} {theirs}", $c), std::mem::offset_of!(abi::$of, $field), place));
        )+
        fields
    }};
}

#[test]
fn every_field_lies_where_the_header_has_it() {
    let fields = [
        layout!(Bytes as "regent_bytes": data, len),
        layout!(Writer as "regent_writer": context, write),
        layout!(Host as "regent_host": size, abi_major, abi_minor, context, log, report, count, gauge, read, write, next, answer, decide),
        layout!(Plugin as "regent_plugin": size, kind, flags, name, describe, check, create, destroy, functions),
        layout!(Asked as "regent_builtin": size, ask = "call"),
        layout!(Asked as "regent_fetcher": size, ask = "fetch"),
        layout!(Asked as "regent_verifier": size, ask = "verify"),
        layout!(Asked as "regent_signer": size, ask = "sign"),
        layout!(Sink as "regent_sink": size, write, close),
        layout!(Credential as "regent_credential": size, prepare, refused, identity),
        layout!(Managed as "regent_managed": size, run),
        layout!(Library as "regent_library": magic, abi_major, abi_minor, reserved, size, name, version, plugins, plugin_count),
    ]
    .concat();
    let mut numbers = vec![
        ("REGENT_MAGIC", u64::from(abi::MAGIC)),
        ("REGENT_ABI_MAJOR", abi::ABI_MAJOR.into()),
        ("REGENT_ABI_MINOR", abi::ABI_MINOR.into()),
    ];
    let statuses = [
        ("REGENT_OK", abi::OK),
        ("REGENT_UNAVAILABLE", abi::UNAVAILABLE),
        ("REGENT_REFUSED", abi::REFUSED),
        ("REGENT_CONFIG", abi::CONFIG),
        ("REGENT_OPERAND", abi::OPERAND),
        ("REGENT_FAILED", abi::FAILED),
        ("REGENT_STATE_NOT_READY", abi::STATE_NOT_READY),
        ("REGENT_STATE_OK", abi::STATE_OK),
        ("REGENT_STATE_WARN", abi::STATE_WARN),
        ("REGENT_STATE_ERROR", abi::STATE_ERROR),
        ("REGENT_SIGNAL_NONE", abi::SIGNAL_NONE),
        ("REGENT_SIGNAL_STOP", abi::SIGNAL_STOP),
        ("REGENT_SIGNAL_TRIGGER", abi::SIGNAL_TRIGGER),
        ("REGENT_SIGNAL_CONFIGURE", abi::SIGNAL_CONFIGURE),
    ];
    numbers.extend(statuses.map(|(name, status)| (name, u64::try_from(status).expect("no status is negative"))));
    let kinds = [
        ("REGENT_KIND_BUILTIN", abi::KIND_BUILTIN),
        ("REGENT_KIND_SINK", abi::KIND_SINK),
        ("REGENT_KIND_FETCHER", abi::KIND_FETCHER),
        ("REGENT_KIND_VERIFIER", abi::KIND_VERIFIER),
        ("REGENT_KIND_SIGNER", abi::KIND_SIGNER),
        ("REGENT_KIND_CREDENTIAL", abi::KIND_CREDENTIAL),
        ("REGENT_KIND_MANAGED", abi::KIND_MANAGED),
        ("REGENT_INLINE", abi::INLINE),
        ("REGENT_LIVE", abi::LIVE),
    ];
    numbers.extend(kinds.map(|(name, kind)| (name, kind.into())));

    let line =
        |name: &str, expression: &str| format!("  printf(\"{name} %llu\\n\", (unsigned long long)({expression}));\n");
    let lines = fields.iter().map(|(name, _, expression)| line(name, expression));
    let lines = lines.chain(numbers.iter().map(|(name, _)| line(name, name)));
    let told = told(&lines.collect::<String>());
    let ours = fields.into_iter().map(|(name, place, _)| (name, place as u64));
    let ours: BTreeMap<_, _> =
        ours.chain(numbers.into_iter().map(|(name, number)| (name.to_owned(), number))).collect();
    assert_eq!(told, ours);
}

/// What a program with these lines prints: names and numbers.
fn told(lines: &str) -> BTreeMap<String, u64> {
    let directory = tempfile::tempdir().expect("a directory");
    let (source, program) = (directory.path().join("layout.c"), directory.path().join("layout"));
    let text = format!("#include <stdio.h>\n#include \"regent_plugin.h\"\nint main(void) {{\n{lines}  return 0;\n}}\n");
    std::fs::write(&source, text).expect("written");
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let compiled = Command::new("cc").arg("-I").arg(include).arg("-o").arg(&program).arg(&source).output();
    let compiled = compiled.unwrap_or_else(|error| panic!("a compiler of C, cc: {error}"));
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let printed = Command::new(&program).output().expect("it runs").stdout;
    let printed = String::from_utf8(printed).expect("text");
    let parsed = printed.lines().map(|line| line.rsplit_once(' ').expect("a name and a number"));
    parsed.map(|(name, number)| (name.to_owned(), number.parse().expect("a number"))).collect()
}
