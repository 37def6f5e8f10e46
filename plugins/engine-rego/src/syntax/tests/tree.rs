//! The forms of rules and expressions.

use regent_core::engine::RegoVersion;

use super::{module, rule, source};
use crate::syntax::ast::{ExprKind, TermKind};
use crate::syntax::{BodyOptions, parse_body, parse_body_with, parse_imports, parse_module, parse_package, parse_ref};

/// Head and body as text, and what else the head holds.
fn check(text: &str, shown: &str) {
    assert_eq!(rule(text).to_string(), shown, "{text}");
}

#[test]
fn rules_have_all_forms() {
    check("p if true", "p = true if { true }");
    check("p := 1", "p := 1 if { true }");
    check("p = 1 if { a; b }", "p = 1 if { a; b }");
    check("default p := [1]", "default p := [1]");
    check("default f(_) := 1", "default f(_) := 1");
    check("f(x, [y]) := x if y", "f(x, [y]) := x if { y }");
    check("p contains x if x := 1", "p contains x if { assign(x, 1) }");
    check("p contains 1", "p contains 1 if { true }");
    check("p[x] := y if q[x] == y", "p[x] := y if { equal(q[x], y) }");
    check("p[x] if q[x]", "p[x] = true if { q[x] }");
    check("a.b[c].d := 1 if c := 2", "a.b[c].d := 1 if { assign(c, 2) }");
    check("a.b.c if x", "a.b.c = true if { x }");
    check(
        "p if {\n a == 1\n b } else := 2 if c else := 3",
        "p = true if { equal(a, 1); b } else = 2 if { c } else = 3 if { true }",
    );
    check("input.package.if := 1", "input[\"package\"][\"if\"] := 1 if { true }");
}

#[test]
fn the_body_of_if_may_be_a_comprehension_or_an_object_but_no_set() {
    assert!(matches!(&rule("p if {x | x := 1}").body[0].kind,
        ExprKind::Term(term) if matches!(term.kind, TermKind::SetComprehension(_))));
    assert!(matches!(&rule("p if {}").body[0].kind, ExprKind::Term(term) if matches!(term.kind, TermKind::Object(_))));
    assert_eq!(rule("p if {x}").to_string(), "p = true if { x }");
}

#[test]
fn operators_bind_as_in_opa() {
    for (text, shown) in [
        ("1 + 2 * 3 - 4", "minus(plus(1, mul(2, 3)), 4)"),
        ("a | b & c", "or(a, and(b, c))"),
        ("1 + 1 == 2", "equal(plus(1, 1), 2)"),
        ("1 in [1] == true", "internal.member_2(1, equal([1], true))"),
        ("0, 1 in [1]", "internal.member_3(0, 1, [1])"),
        ("1 in {1} in {true}", "internal.member_2(internal.member_2(1, {1}), {true})"),
        ("x := (1 + 2) % 3", "assign(x, rem(plus(1, 2), 3))"),
        ("x = - 1", "x = -1"),
        ("[1, 2][i]", "[1, 2][i]"),
        ("f(x)[y].z", "f(x)[y].z"),
        ("{1 | 2}", "{1 | 2}"),
        ("{1 | 2, 3}", "{3, or(1, 2)}"),
        ("{1: 2 | true}", "{1: 2 | true}"),
        ("{\"a\": 1 | 2, \"b\": 3}", "{\"a\": or(1, 2), \"b\": 3}"),
        ("[(0, 1 in [1])]", "[internal.member_3(0, 1, [1])]"),
        ("[0, 1 in [1]]", "[0, internal.member_2(1, [1])]"),
        ("not f(x) with input.a as 1 with data.b as 2", "not f(x) with input.a as 1 with data.b as 2"),
        ("some x, y", "some x, y"),
        ("some k, v in m", "some k, v in m"),
        ("every k, v in m { k; v }", "every k, v in m { k; v }"),
        ("set()", "set()"),
        ("_ == _", "equal(_, _)"),
        ("$\"a{x}b\\{\"", "$\"a{x}b\\{\""),
        (".5 + 1", "plus(0.5, 1)"),
    ] {
        let body = parse_body(source(text), RegoVersion::V1).unwrap_or_else(|errors| panic!("{text}: {errors}"));
        assert_eq!(crate::syntax::text::body_text(&body), shown, "{text}");
    }
}

#[test]
fn wildcards_are_told_apart() {
    let body = parse_body(source("f(_, _)"), RegoVersion::V1).expect("parses");
    let ExprKind::Call(terms) = &body[0].kind else { panic!("no call") };
    let names: Vec<_> = terms[1..].iter().filter_map(|term| term.as_var().map(ToString::to_string)).collect();
    assert_eq!(names, ["$0", "$1"]);
}

#[test]
fn v0_has_the_keywords_that_it_imports() {
    let v0 = |text: &str| parse_module(source(text), RegoVersion::V0);
    v0("package t\np[x] { x := 1 }\nq { in == 1 } { if == 2 }").expect("old words only");
    assert!(v0("package t\np if { true }").is_err());
    v0("package t\nimport future.keywords.if\np if { true }").expect("imported");
    let module = v0("package t\nimport rego.v1\np contains 1 if { true }").expect("all imported");
    assert_eq!(module.version, RegoVersion::V1);
    let errors = v0("package t\nimport rego.v1\np { true }").expect_err("v1 now");
    assert_eq!(errors.0[0].message, "`if` keyword is required before rule body");
}

#[test]
fn spans_hold_the_text_that_opa_shows() {
    let module = module("p := (1 + 2) if {\n\tsome x in [1] # one\n\tx == 1 with input as {}\n}");
    let rule = &module.rules[0];
    assert_eq!(rule.head.span.text(), "p := (1 + 2)");
    let value = rule.head.value.as_ref().expect("a value");
    assert_eq!((value.span.text(), value.span.row, value.span.col), ("(1 + 2)", 2, 7));
    assert_eq!(rule.body[0].span.text(), "some x in [1]");
    assert_eq!(rule.body[1].span.text(), "x == 1 with input as {}");
    assert_eq!((rule.body[1].span.row, rule.body[1].span.col, rule.body[1].index), (4, 2, 1));
    assert_eq!(module.comments[0].text.trim(), "one");
}

#[test]
fn everything_in_an_else_without_braces_is_located_at_it() {
    let rule = rule("p if a else := 2 if b.c");
    let next = rule.else_branch.expect("an else");
    assert_eq!(next.body[0].span.text(), "else := 2 if b.c");
    assert_eq!(next.body[0].span.col, 8);
}

#[test]
fn parts_of_modules_parse_alone() {
    assert_eq!(
        parse_package(source("package a[\"b c\"].d"), RegoVersion::V1).expect("ok").to_string(),
        "package a[\"b c\"].d"
    );
    let imports = parse_imports(source("import data.a as b\nimport input"), RegoVersion::V1).expect("ok");
    assert_eq!(imports.iter().map(ToString::to_string).collect::<Vec<_>>(), ["import data.a as b", "import input"]);
    assert_eq!(parse_ref(source("data.a[1]"), RegoVersion::V1).expect("ok").len(), 3);
    let imports = parse_imports(source("import future.keywords.in"), RegoVersion::V0).expect("ok");
    let options = BodyOptions { version: RegoVersion::V0, imports: &imports, ..BodyOptions::default() };
    assert_eq!(parse_body_with(source("1 in [1]; 2"), options).expect("ok").len(), 2);
}
