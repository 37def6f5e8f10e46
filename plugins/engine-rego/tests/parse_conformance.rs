//! Every module and query of the conformance cases parses, but for those that are to fail at it.

use std::path::PathBuf;
use std::sync::Arc;

use regent_core::Value;
use regent_core::engine::RegoVersion;
use regent_core::value::decode;
use regent_engine_rego::syntax::ast::SourceFile;
use regent_engine_rego::syntax::{parse_body, parse_module};

#[test]
fn the_texts_of_all_conformance_cases_parse() {
    let folder = std::env::var_os("REGENT_CONFORMANCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/rego"),
        PathBuf::from,
    );
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: no conformance cases at {}", folder.display());
        return;
    };
    let mut failures = Vec::new();
    for file in files.flatten().map(|file| file.path()).filter(|path| path.extension().is_some_and(|e| e == "json")) {
        let cases = decode(&std::fs::read(&file).expect("readable")).expect("JSON");
        for case in cases.as_array().expect("a list of cases") {
            failures.extend(check(case).map(|why| format!("{}: {why}", file.display())));
        }
    }
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
}

/// What is wrong with the way a case parses.
fn check(case: &Value) -> Option<String> {
    let note = case.get("note").and_then(Value::as_str).unwrap_or_default();
    let expects_error = case.get("want_error_code").and_then(Value::as_str) == Some("rego_parse_error");
    let modules = case.get("modules").and_then(Value::as_array).unwrap_or_default();
    let mut errors = Vec::new();
    for (index, module) in modules.iter().enumerate() {
        let name = format!("test-{index}.rego");
        let source = SourceFile { name: name.into(), text: module.as_str().unwrap_or_default().into() };
        errors.extend(parse_module(Arc::new(source), RegoVersion::V1).err());
    }
    if let Some(query) = case.get("query").and_then(Value::as_str) {
        let source = SourceFile { name: "".into(), text: query.into() };
        errors.extend(parse_body(Arc::new(source), RegoVersion::V1).err());
    }
    match (errors.first(), expects_error) {
        (None, true) => Some(format!("{note}: parses, but should not")),
        (Some(error), false) => Some(format!("{note}: {error}")),
        _ => None,
    }
}
