//! Every module and query of the conformance cases parses, but for those that are to fail at it.

use std::sync::Arc;

use regent_conformance::{Case, Want, topics};
use regent_core::engine::RegoVersion;
use regent_engine_rego::syntax::ast::SourceFile;
use regent_engine_rego::syntax::{parse_body, parse_module};

#[test]
fn the_texts_of_all_conformance_cases_parse() {
    let mut failures = Vec::new();
    for topic in topics() {
        failures.extend(topic.cases.iter().filter_map(check).map(|why| format!("{}: {why}", topic.name)));
    }
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
}

/// What is wrong with the way a case parses.
fn check(case: &Case) -> Option<String> {
    let Case { note, modules, query, want, .. } = case;
    let expects_error = matches!(want, Want::Error { code: Some(code), .. } if code == "rego_parse_error");
    let mut errors = Vec::new();
    for (index, module) in modules.iter().enumerate() {
        let source = SourceFile { name: format!("test-{index}.rego").into(), text: module.as_str().into() };
        errors.extend(parse_module(Arc::new(source), RegoVersion::V1).err());
    }
    let source = SourceFile { name: "".into(), text: query.as_str().into() };
    errors.extend(parse_body(Arc::new(source), RegoVersion::V1).err());
    match (errors.first(), expects_error) {
        (None, true) => Some(format!("{note}: parses, but should not")),
        (Some(error), false) => Some(format!("{note}: {error}")),
        _ => None,
    }
}
