use super::query_errors;
use crate::compile::Options;

fn found(query: &str) -> Vec<String> {
    query_errors("package a\np := 1\nf(x) := x", query, &Options::default())
}

#[test]
fn queries_are_checked_like_bodies() {
    // The value of the whole goes into a wildcard.
    let expected = ["1:1: rego_unsafe_var_error: var _ is unsafe", "1:1: rego_unsafe_var_error: var x is unsafe"];
    assert_eq!(found("x > 1"), expected);
    assert_eq!(found("nofunc(1)"), ["1:1: rego_type_error: undefined function nofunc"]);
    assert_eq!(found("data.a.f(1, 2, 3)"), ["1:1: rego_type_error: function data.a.f has arity 1, got 3 arguments"]);
    assert_eq!(found("x := 1 + \"a\""), ["1:6: rego_type_error: plus: invalid argument(s)"]);
    assert_eq!(found("data.a.p.q"), ["1:1: rego_type_error: undefined ref: data.a.p.q"]);
    assert_eq!(found("x := data.a.p; y = x"), [""; 0]);
}

#[test]
fn queries_are_kept_from_functions() {
    let options = Options { unsafe_builtins: vec!["http.send".into()], ..Options::default() };
    let expected = ["1:1: rego_type_error: unsafe built-in function calls in expression: http.send"];
    assert_eq!(query_errors("package a", "http.send({\"method\": \"get\", \"url\": \"x\"})", &options), expected);
    let strict = Options { strict: true, ..Options::default() };
    let expected = ["1:1: rego_compile_error: variables must not shadow input (use a different variable name)"];
    assert_eq!(query_errors("package a", "input := 1", &strict), expected);
}
