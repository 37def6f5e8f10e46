//! Rego text and JSON made of the tree.

use regent_core::engine::RegoVersion;

use super::{module, source};
use crate::syntax::text::is_name;
use crate::syntax::{JsonOptions, module_to_json, parse_term};

#[test]
fn names_stand_behind_dots_and_other_texts_in_brackets() {
    assert!(is_name("a_1") && !is_name("1a") && !is_name("if") && !is_name("") && !is_name("a-b"));
    let term = parse_term(source("data.a[\"x y\"].b[i][1]"), RegoVersion::V1).expect("parses");
    assert_eq!(term.to_string(), "data.a[\"x y\"].b[i][1]");
}

#[test]
fn sets_and_objects_are_sorted_and_hold_each_thing_once() {
    let term = parse_term(source("[{2, x, 1.0, 1, \"a\"}, {\"b\": 1, \"a\": 2, \"b\": 3}]"), RegoVersion::V1);
    assert_eq!(term.expect("parses").to_string(), "[{1.0, 2, \"a\", x}, {\"a\": 2, \"b\": 3}]");
}

#[test]
fn json_has_opas_fields_in_opas_order() {
    let module = module("p[x] := null if x := 1 # c");
    let json = module_to_json(&module, JsonOptions::default()).encode(false);
    assert_eq!(
        String::from_utf8(json).expect("UTF-8"),
        concat!(
            r#"{"package":{"path":[{"type":"var","value":"data"},{"type":"string","value":"t"}]},"rules":[{"body":["#,
            r#"{"index":0,"terms":[{"type":"ref","value":[{"type":"var","value":"assign"}]},{"type":"var","value":"x"},"#,
            r#"{"type":"number","value":1}]}],"head":{"name":"p","key":{"type":"var","value":"x"},"#,
            r#""value":{"type":"null","value":{}},"assign":true,"ref":[{"type":"var","value":"p"},"#,
            r#"{"type":"var","value":"x"}]}}],"comments":[{"Text":"IGM=","Location":{"file":"t.rego","row":2,"col":24}}]}"#,
            "\n"
        )
    );
}
