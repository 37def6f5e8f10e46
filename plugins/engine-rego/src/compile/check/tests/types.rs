use regent_core::Value;

use std::fmt::Write as _;

use super::{compiled, errors};
use crate::compile::Options;

/// The details of the first error as JSON.
fn details(text: &str) -> String {
    let errors = compiled(&[text], Options::default()).err().map(|errors| errors.0).unwrap_or_default();
    let found = errors.into_iter().next().and_then(|error| error.details);
    found.as_ref().map(Value::to_string).unwrap_or_default()
}

#[test]
fn what_cannot_fit_is_found() {
    let text = "package types\n\nsize := count(7)\n\nsum_of := \"1\" + 2\n\ncompare if {\n\tx := {\"a\": 1}\n\tx.b == 2\n}\n\n\
                mixed if 1 == \"one\"\n\nfn(x) := x * 2\n\nuse := fn(\"a\")\n\ncall if startswith([\"a\"], \"b\")";
    let expected = [
        "m0:3: rego_type_error: count: invalid argument(s)",
        "m0:5: rego_type_error: plus: invalid argument(s)",
        "m0:9: rego_type_error: undefined ref: x.b",
        "m0:12: rego_type_error: match error",
        "m0:16: rego_type_error: data.types.fn: invalid argument(s)",
        "m0:18: rego_type_error: startswith: invalid argument(s)",
    ];
    assert_eq!(errors(&[text]), expected);
}

#[test]
fn details_tell_the_types() {
    assert_eq!(details("package a\nx if 1 == \"a\""), r#"{"a":{"type":"number"},"b":{"type":"string"}}"#);
    let expected = r#"{"oneOf":["a"],"pos":1,"ref":[{"type":"var","value":"x"},{"type":"string","value":"b"}],"want":{"type":"string"}}"#;
    assert_eq!(details("package a\np if { x := {\"a\": 1}; x.b }"), expected);
    let expected = r#"{"have":[{"type":"string"},null],"want":{"args":[{"type":"number"},{"type":"number"}]}}"#;
    assert_eq!(details("package a\nf(x) := x * 2\ny := f(\"a\")"), expected);
}

#[test]
fn rules_have_the_types_of_what_they_make() {
    let found = |text: &str| errors(&[&format!("package a\n{text}")]);
    assert_eq!(found("y := 1\nx := data.a.y.z"), ["m0:3: rego_type_error: undefined ref: data.a.y.z"]);
    assert_eq!(found("s contains 1\nx if s.a"), ["m0:3: rego_type_error: undefined ref: data.a.s.a"]);
    assert_eq!(
        found("o[k] := 1 if some k in [\"a\"]\nx := upper(o.a)"),
        ["m0:3: rego_type_error: upper: invalid argument(s)"]
    );
    assert_eq!(found("p := 1 if input.x\np := \"a\" if input.y\nx := upper(p)\nz := p + 1"), [""; 0]);
    assert_eq!(found("c := [x | x := 1]\nd if c[_] == \"a\""), ["m0:3: rego_type_error: match error"]);
    assert_eq!(found("q.r.s := 1\nx := q.r.t\ny := q.other"), [""; 0]);
    assert_eq!(found("f(x) := 1\ny := data.a.f"), ["m0:3: rego_type_error: undefined ref: data.a.f"]);
}

#[test]
fn the_error_within_hides_that_of_the_whole() {
    let expected = ["m0:2: rego_type_error: upper: invalid argument(s)"];
    assert_eq!(errors(&["package a\nx := count([y | y := upper(1)])"]), expected);
}

#[test]
fn replaced_functions_keep_their_parameters() {
    let text = "package a\ng(x, y) := 1\np if count([1]) == 1 with count as g";
    assert_eq!(errors(&[text]), ["m0:3: rego_type_error: count: arity mismatch"; 2]);
}

#[test]
fn types_do_not_grow_without_bound() {
    let mut text = String::from("package a\na0 := [1, 2]\n");
    for step in 1..200 {
        let _ = writeln!(text, "a{step} := [a{0}, a{0}, {{\"k\": a{0}}}]", step - 1);
    }
    assert_eq!(errors(&[&text]), [""; 0]);
}
