//! `# METADATA` blocks.

use super::{module, parse};
use crate::syntax::ast::AnnotationScope;

#[test]
fn a_block_speaks_of_what_follows_it() {
    let text = "# METADATA\n# title: yes\n# authors:\n# - Ann Onym <ann@x.org>\n# custom:\n#   n: 1.10\np := 1\n\n\
                # METADATA\n# entrypoint: true\nq := 1";
    let module = module(text);
    let content: Vec<_> = module
        .annotations
        .iter()
        .map(|found| (found.scope, regent_core::value::encode(&found.content), found.rule))
        .collect();
    let first = r#"{"authors":[{"email":"ann@x.org","name":"Ann Onym"}],"custom":{"n":1.1},"title":"yes"}"#;
    assert_eq!(
        content,
        [
            (AnnotationScope::Rule, first.to_owned(), Some(0)),
            (AnnotationScope::Document, r#"{"entrypoint":true}"#.to_owned(), Some(1)),
        ]
    );
}

#[test]
fn blocks_that_cannot_be_read_or_stand_wrong_are_errors() {
    for (text, expected) in [
        ("# METADATA\n# scope: rule\n\npackage t", "annotation scope 'rule' must be applied to rule (have package)"),
        (
            "package t\n# METADATA\n# scope: x\np := 1",
            "invalid annotation scope 'x'. Use one of 'rule', 'document', 'package', or 'subpackages'",
        ),
        ("package t\n# METADATA\np := 1", "expected METADATA block, found whitespace"),
        ("package t\n# METADATA\n# title: t", "annotation scope '' must be applied"),
        (
            "package t\n# METADATA\n# title: [1]\np := 1",
            "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string",
        ),
        (
            "package t\n# METADATA\n# authors: [{}]\np := 1",
            "invalid author definition map[]: 'name' and/or 'email' values required in object",
        ),
        (
            "package t\n# METADATA\n# scope: rule\n# entrypoint: true\np := 1",
            "annotation entrypoint applied to non-document or package scope 'rule'",
        ),
    ] {
        let errors = parse(text).expect_err(text).0;
        let found = if expected.ends_with("applied") { "invalid annotation scope ''" } else { expected };
        assert!(errors[0].message.starts_with(found), "{text}: {}", errors[0].message);
    }
}
