use super::{compiled, errors, lines, strict_errors};
use crate::compile::Options;

#[test]
fn functions_have_to_exist_and_take_that_many_operands() {
    let text = "package app.rules\n\ndouble(x) := y if y := nope(x)\n\nsize := count()\n\nname := sprintf(\"%d\")\n\n\
                fn(x) := x * 2\n\nuse := fn(\"a\", 2)\n\nalso := data.app.other.fn(1)";
    let expected = [
        "m0:3: rego_type_error: undefined function nope",
        "m0:5: rego_type_error: count: arity mismatch",
        "m0:7: rego_type_error: sprintf: arity mismatch",
        "m0:11: rego_type_error: function data.app.rules.fn has arity 1, got 2 arguments",
        "m0:13: rego_type_error: undefined function data.app.other.fn",
    ];
    assert_eq!(errors(&[text]), expected);
}

#[test]
fn rules_take_the_place_of_functions() {
    let expected = ["m0:3: rego_type_error: function data.a.plus has arity 0, got 2 arguments"];
    assert_eq!(errors(&["package a\nplus := 1\nx := 1 + 2"]), expected);
    let expected = ["m0:3: rego_type_error: function data.a.count has arity 0, got 1 argument"];
    assert_eq!(errors(&["package a\ncount := 1\nx := count([1])"]), expected);
}

#[test]
fn print_has_no_value() {
    assert_eq!(errors(&["package a\np := print(1)"]), ["m0:2: rego_type_error: print(1) used as value"]);
}

#[test]
fn forbidden_and_deprecated_functions_are_found() {
    let options = Options { unsafe_builtins: vec!["http.send".into()], ..Options::default() };
    let expected = ["m0:2: rego_type_error: unsafe built-in function calls in expression: http.send"];
    assert_eq!(
        lines(compiled(&["package a\np := http.send({\"url\": \"x\", \"method\": \"get\"}).body"], options)),
        expected
    );
    let expected = ["m0:2: rego_type_error: deprecated built-in function calls in expression: any"];
    assert_eq!(errors(&["package a\np if any([true])"]), expected);
    assert_eq!(strict_errors("package a\np if any([true])"), expected);
}
