use super::{Options, errors, rules, strict};

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(rules(text, Options::default()), expected);
}

#[track_caller]
fn check_error(text: &str, options: Options, expected: &str) {
    assert_eq!(errors(text, options), [expected]);
}

#[test]
fn names_of_rules_imports_and_parameters_are_told_apart() {
    check(
        "import data.a.b\np := b.c if { q == input.q }\nq := 1\nf(q) := q",
        "p := __local1__ if { data.test.q = input.q; __local1__ = data.a.b.c }\n\
         q := 1 if { true }\n\
         f(__local0__) := __local0__ if { true }",
    );
}

#[test]
fn declarations_get_variables_of_their_own() {
    check(
        "f(x) := y if { y := count([z | some z in x]) }",
        "f(__local0__) := __local4__ if { __local6__ = [__local3__ | __local3__ = __local0__[__local2__]]; \
         count(__local6__, __local5__); __local4__ = __local5__ }",
    );
    check(
        "p contains x if { some x, y in data.foo; every k, v in input.xs { v == k + y } }",
        "p contains __local0__ if { __local1__ = data.foo[__local0__]; __local4__ = input.xs; \
         every __local2__, __local3__ in __local4__ { plus(__local2__, __local1__, __local5__); \
         __local3__ = __local5__ } }",
    );
}

#[test]
fn heads_hold_nothing_to_evaluate() {
    check("p[x.y] := 1 if x := input.a", "p[__local0__] := 1 if { __local1__ = input.a; __local0__ = __local1__.y }");
}

#[test]
fn references_in_negated_calls_are_evaluated_before() {
    check("p if not count(input.x)", "p = true if { __local0__ = input.x; not count(__local0__) }");
    check("p if not input.x", "p = true if { not input.x }");
}

#[test]
fn modifiers_are_evaluated_once_and_hold_for_all_that_came_of_their_expression() {
    check(
        "p if { count(input.x[f(1)]) > 1 with input.y as data.foo }\nf(x) := x",
        "p = true if { __local3__ = data.foo; data.test.f(1, __local1__) with input.y as __local3__; \
         __local4__ = input.x[__local1__] with input.y as __local3__; \
         count(__local4__, __local2__) with input.y as __local3__; gt(__local2__, 1) with input.y as __local3__ }\n\
         f(__local0__) := __local0__ if { true }",
    );
}

#[test]
fn print_is_erased_or_wrapped() {
    check("p if { print(input.x) }", "p = true if { true }");
    let print = Options { print: true, ..Options::default() };
    assert_eq!(
        rules("p if { print(input.x) }", print),
        "p = true if { __local1__ = {__local0__ | __local0__ = input.x}; internal.print([__local1__]) }"
    );
}

#[test]
fn members_of_sets_are_met_in_order() {
    check(
        "p := {f(2), f(1), f(2)}\nf(x) := x",
        "p := {__local1__, __local2__} if { true; data.test.f(1, __local1__); data.test.f(2, __local2__) }\n\
         f(__local0__) := __local0__ if { true }",
    );
}

#[test]
fn a_rule_hides_the_operator_of_its_name() {
    check(
        "plus(x, y) := y\np := 1 + 2",
        "plus(__local0__, __local1__) := __local1__ if { true }\n\
         p := __local2__ if { true; data.test.plus(1, 2, __local2__) }",
    );
}

#[test]
fn wrong_declarations_are_errors() {
    let error = |row: usize, text: &str| format!("test-0.rego:{row}: rego_compile_error: {text}");
    for (text, expected) in [
        ("p if { x := 1; x := 2 }", error(2, "var x assigned above")),
        ("p if { x = 1; x := 2 }", error(2, "var x referenced above")),
        ("p if { some x; x := 2 }", error(2, "var x declared above")),
        ("f(x) if { x := 2 }", error(2, "arg x redeclared")),
        ("p if { some x; true }", error(2, "declared var x unused")),
        ("p if { f(1) := 2 }\nf(x) := x", error(2, "cannot assign to call")),
        ("p if { not x := 2 }", error(2, "cannot assign vars inside negated expression")),
        (
            "p if { true with data.test.q.r as 1 }\nq := {}",
            error(2, "with keyword cannot partially replace virtual document(s)"),
        ),
    ] {
        check_error(text, Options::default(), &expected);
    }
}

#[test]
fn what_is_not_used_is_an_error_in_strict_mode() {
    let error = |text: &str| format!("test-0.rego:2: rego_compile_error: {text}");
    for (text, expected) in [
        ("p if { x := 1 }", error("assigned var x unused")),
        ("f(x) := 1", error("unused argument x. (hint: use _ (wildcard variable) instead)")),
        ("import data.foo.bar as baz\np := 1", error("import data.foo.bar as baz unused")),
    ] {
        check_error(text, strict(), &expected);
        assert!(errors(text, Options::default()).is_empty(), "{text}");
    }
}

#[test]
fn calls_of_metadata_become_constants() {
    check(
        "# METADATA\n# title: one\n# authors: [\"A B <a@b>\"]\np := rego.metadata.rule()",
        "p := __local0__ if { __local1__ = {\"authors\": [{\"email\": \"a@b\", \"name\": \"A B\"}], \
         \"scope\": \"rule\", \"title\": \"one\"}; true; __local0__ = __local1__ }",
    );
    check(
        "p := rego.metadata.chain()",
        "p := __local0__ if { __local1__ = [{\"path\": [\"test\", \"p\"]}]; true; __local0__ = __local1__ }",
    );
}
