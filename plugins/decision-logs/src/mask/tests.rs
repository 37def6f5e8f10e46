use regent_core::value::decode;

use super::*;

fn value(json: &str) -> Value {
    decode(json.as_bytes()).expect("valid JSON")
}

#[test]
fn rules_are_pointers_or_objects() {
    let rules = rules(&value(
        r#"["/input/a~1b/c~0d", {"op": "upsert", "path": "/result"}, {"op": "remove", "path": "/nd_builtin_cache/x"}]"#,
    ));
    let rules = rules.expect("valid rules");
    let read: Vec<_> = rules.iter().map(|rule| (rule.part, rule.path.join("|"), rule.action.clone())).collect();
    assert_eq!(
        read,
        [
            (Part::Input, "a/b|c~d".to_owned(), Action::Remove),
            (Part::Result, String::new(), Action::Upsert(Value::NULL)),
            (Part::Cache, "x".to_owned(), Action::Remove),
        ]
    );
}

#[test]
fn one_wrong_rule_spoils_all() {
    let table = [
        (r#"["/input", ""]"#, "mask must be non-empty"),
        (r#"["/input", "input"]"#, "mask must be slash-prefixed"),
        (r#"["/input", "/labels/id"]"#, "mask prefix not allowed: labels"),
        (r#"["/input", "/inputs"]"#, "mask prefix not allowed: inputs"),
        (r#"["/input", {"path": "/input"}]"#, "mask op is not supported: "),
        (r#"["/input", {"op": "add", "path": "/input"}]"#, "mask op is not supported: add"),
        (r#"["/input", {"op": "remove"}]"#, "mask must be non-empty"),
        (r#"["/input", {"op": 1, "path": "/input"}]"#, "invalid \"op\" value: number"),
        (r#"["/input", {"op": "remove", "path": true}]"#, "invalid \"path\" value: boolean"),
        (r#"["/input", null]"#, "invalid mask rule format encountered: null"),
        (r#"{"/input": true}"#, "unexpected rule format object"),
    ];
    for (answer, expected) in table {
        let error = rules(&value(answer)).expect_err(answer);
        assert_eq!(error.to_string(), expected, "{answer}");
    }
}

#[test]
fn a_pointer_cannot_be_deeper_than_documents_are() {
    let deep = format!("[\"/input{}\"]", "/a".repeat(100_000));
    assert!(matches!(rules(&value(&deep)), Err(MaskError::TooDeep(100_000))));
}
