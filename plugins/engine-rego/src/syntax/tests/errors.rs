//! OPA's words for what does not parse.

use regent_core::engine::{RegoVersion, Source};

use super::{parse, source};
use crate::syntax::{BodyOptions, ModuleOptions, parse_body, parse_body_with, parse_module, parse_module_with};

/// The errors of a module as `row:col message`.
fn errors(text: &str, version: RegoVersion) -> Vec<String> {
    let errors = parse_module(source(text), version).expect_err(text).0;
    let show = |error: &regent_core::engine::PolicyError| {
        let at = error.location.clone().unwrap_or_default();
        format!("{}:{} {}", at.row, at.col, error.message)
    };
    errors.iter().map(show).collect()
}

fn check(text: &str, expected: &[&str]) {
    assert_eq!(errors(&format!("package t\n{text}"), RegoVersion::V1), expected, "{text}");
}

#[test]
fn rules_that_are_none_are_told_why() {
    check("p { true }", &["2:1 `if` keyword is required before rule body"]);
    check("f(x) { x }", &["2:1 `if` keyword is required before function body"]);
    check("p[x]", &["2:1 `contains` keyword is required for partial set rules"]);
    check("a.b.c.d", &["2:1 rule must have value assignment and/or body declaration"]);
    check("p", &["2:1 var cannot be used for rule name"]);
    check("1 := 2", &["2:1 number cannot be used for rule name"]);
    check("count(x)", &["2:1 rule name conflicts with built-in function"]);
    check("x == 1; y", &["2:1 multiple expressions cannot be used for rule head"]);
    check("not x", &["2:1 negated expressions cannot be used for rule head"]);
    check("package u", &["2:1 unexpected package"]);
    check("default p.q", &["2:1 illegal default rule (must have a value)"]);
    check("default p := x", &["2:1 illegal default rule (value cannot contain var)"]);
    check("default f(x, x) := 1", &["2:1 illegal default rule (arguments cannot be repeated x)"]);
    check("default f(1) := 1", &["2:1 illegal default rule (arguments cannot contain number)"]);
    check("contains := 1", &["2:1 contains keyword cannot be used for rule name"]);
    check("p contains 1 if true else := 2", &["2:22 else keyword cannot be used on multi-value rules"]);
}

#[test]
fn tokens_that_have_no_business_are_named() {
    check("p if {", &["2:6 unexpected eof token"]);
    check("p if { x y }", &["2:10 unexpected identifier token: expected \\n or ; or }"]);
    check("p if { some 1 }", &["2:13 unexpected number token: expected var"]);
    check("p if { every x in xs }", &["2:22 unexpected } token: missing body"]);
    check("p if { x with 1 as 2 }", &["2:15 unexpected number token: expected ident"]);
    check(
        "p := [1 2]",
        &[
            "2:9 unexpected number token: expected \",\" or \"]\"",
            "2:9 unexpected number token: expected rule value term (e.g., p := <VALUE> { ... })",
        ],
    );
    check(
        "p := {\"a\": 1 \"b\"}",
        &[
            "2:14 unexpected string token: non-terminated object",
            "2:14 unexpected string token: expected rule value term (e.g., p := <VALUE> { ... })",
        ],
    );
    check("p := \"a\"[0]", &["2:6 illegal ref (head cannot be string)"]);
    check(
        "p := 01",
        &[
            "2:6 unexpected number token: expected number without leading zero",
            "2:6 unexpected number token: expected rule value term (e.g., p := <VALUE> { ... })",
        ],
    );
    check(
        "p := 1e100001",
        &["2:6 number too big", "2:6 unexpected number token: expected rule value term (e.g., p := <VALUE> { ... })"],
    );
    check(
        "import foo",
        &[
            "2:8 unexpected import path, must begin with one of: {data, future, input, rego}, got: foo (hint: if this is unexpected, try updating OPA)",
        ],
    );
    check("import data.if", &["2:13 unexpected import path, must not end with a keyword, got: if"]);
    check("import rego.v2", &["2:8 invalid import `rego.v2`, must be `rego.v1`"]);
    check(
        "p := $\"{not x}\"",
        &[
            "2:9 unexpected negation ('not') in template-string expression",
            "2:14 unexpected } token: expected rule value term (e.g., p := <VALUE> { ... })",
        ],
    );
}

#[test]
fn characters_that_are_none_of_rego_are_illegal() {
    check("p := \"a\\q\"", &["2:6 illegal escape sequence", "2:6 illegal token", "2:6 illegal token"]);
    check("p ! q", &["2:3 illegal ! character"]);
    check("p := `a", &["2:6 non-terminated string", "2:6 illegal token", "2:6 illegal token"]);
}

#[test]
fn v0_hints_at_imports() {
    let v0 = errors("package t\np { some x in xs }", RegoVersion::V0);
    assert_eq!(
        v0,
        [
            "2:12 unexpected identifier token: expected \\n or ; or } (hint: `import future.keywords.in` for `some x in xs` expressions)"
        ]
    );
    let unknown = errors("package t\nimport future.keywords.no", RegoVersion::V0);
    assert_eq!(unknown, ["2:8 unexpected keyword, must be one of [contains every if in]"]);
}

#[test]
fn a_module_has_a_package_and_something_to_say() {
    assert_eq!(errors("", RegoVersion::V1), ["0:0 empty module"]);
    assert_eq!(errors("p := 1", RegoVersion::V1), ["1:1 package expected"]);
}

#[test]
fn details_show_the_line_and_where_in_it() {
    let errors = parse("package t\nallow if {\n\tinput.x == 1\n").expect_err("unclosed").0;
    let details = errors[0].details.clone().expect("details");
    assert_eq!(regent_core::value::encode(&details), r#"{"idx":12,"line":"\tinput.x == 1"}"#);
}

#[test]
fn queries_of_the_rest_api_are_tried_as_rules_first() {
    let rest = BodyOptions { recognise_rules: true, ..BodyOptions::default() };
    assert_eq!(parse_body(source("x ="), RegoVersion::V1).expect_err("half").0.len(), 1);
    let errors = parse_body_with(source("x ="), rest).expect_err("half").0;
    assert_eq!(errors[1].message, "unexpected eof token: expected rule value term (e.g., x[<nil>] = <VALUE> { ... })");
    let errors = parse_body_with(source("p := 1 if true"), rest).expect_err("a rule").0;
    assert_eq!((errors[0].message.as_str(), &errors[0].location), ("expected body but got *ast.Rule", &None));
}

#[test]
fn bytes_that_are_no_utf8_are_errors_of_their_token() {
    let options = ModuleOptions { annotations: true, ..ModuleOptions::default() };
    let (text, broken) = Source::lossy(b"package t\np := \"\xff\"");
    let errors = parse_module_with(source(&text), &broken, options).expect_err("illegal").0;
    let messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(messages, ["illegal utf-8 character", "illegal token", "illegal token"]);
}
