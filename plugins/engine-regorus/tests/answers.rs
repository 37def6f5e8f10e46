//! Queries in text, and errors, in OPA's words.

mod common;

use common::{document, get, json, refused, rows, text, with};
use regent_core::engine::{Query, QueryText};
use regent_core::value::{Path, Value, encode};

#[tokio::test]
async fn conflicts_are_told_in_opas_words() {
    let module = "package a\n\np := 1\np := 2\nf(_) := 1\nf(_) := 2\nq := f(1)\no[k] := v if some [k, v] in [[1, 1], [1, 2]]\nc := {1: v | some v in [1, 2]}";
    let snapshot = with("{}", &[("a.rego", module)]).await;
    let expected = [
        ("p", "a.rego:4: eval_conflict_error: complete rules must not produce multiple outputs"),
        ("q", "a.rego:7: eval_conflict_error: functions must not produce multiple outputs for same inputs"),
        ("o", "a.rego:8: eval_conflict_error: object keys must be unique"),
        ("c", "a.rego:9: eval_conflict_error: object keys must be unique"),
    ];
    for (rule, error) in expected {
        assert_eq!(get(&snapshot, &format!("a/{rule}"), None), format!("1 error occurred: {error}"));
    }
}

#[tokio::test]
async fn modules_that_do_not_fit_are_refused_when_they_come() {
    let cases = [
        ("", "m:0: rego_parse_error: empty module"),
        (" # c\n\n", "m:0: rego_parse_error: empty module"),
        ("p := 1", "m:1: rego_parse_error: package expected"),
        ("package a\np := ", "m:2: rego_parse_error: unexpected eof token"),
        ("package a\np := [1, }", "m:2: rego_parse_error: unexpected } token"),
        ("package a\np if x > 1", "m:2: rego_unsafe_var_error: var x is unsafe"),
        ("package a\np if { x := 1; x := 2 }", "m:2: rego_compile_error: var x assigned above"),
        ("package a\np := nope(1)", "m:2: rego_type_error: undefined function nope"),
        (
            "package a\np := http.send({})",
            "m:2: rego_type_error: engine `regorus` does not support the built-in function `http.send`",
        ),
    ];
    for (module, error) in cases {
        assert_eq!(refused(&[("m", module)]).await, format!("1 error occurred: {error}"));
    }
    let recursive = refused(&[("m", "package a\nf(x) := g(x)\ng(x) := f(x)\nh(x) := f(x)")]).await;
    let expected = "2 errors occurred:\n\
        m:2: rego_recursion_error: rule data.a.f is recursive: data.a.f -> data.a.g -> data.a.f\n\
        m:3: rego_recursion_error: rule data.a.g is recursive: data.a.g -> data.a.f -> data.a.g";
    assert_eq!(recursive, expected);
}

#[tokio::test]
async fn queries_in_text_answer_as_opas_do() {
    let module = "package q\n\nbig contains 1\nbig contains 2\ndouble(x) := x * 2\nno := false";
    let snapshot = with(r#"{"s":[{"n":"a"},{"n":"b"}],"system":{}}"#, &[("q.rego", module)]).await;
    let cases = [
        ("1 == 2", "[{}]"),
        ("false", "[{}]"),
        ("data.q.no", "[{}]"),
        ("not true", "[]"),
        ("not false", "[{}]"),
        ("every x in [1] { x > 1 }", "[]"),
        ("some x in [1]", r#"[{"x":1}]"#),
        ("x := 1; x == 2", "[]"),
        ("false; true", "[]"),
        ("not true; x := 1", "[]"),
        ("data.nope", "[]"),
        ("input", "[]"),
        ("data.s[i].n = n; _ = 1", r#"[{"i":0,"n":"a"},{"i":1,"n":"b"}]"#),
        ("x := data.q.double(4)", r#"[{"x":8}]"#),
        ("data.q.big[x]", r#"[{"x":1},{"x":2}]"#),
        ("x := 1\ny := x + 1", r#"[{"x":1,"y":2}]"#),
        ("", "cannot evaluate empty query"),
        ("# nothing", "cannot evaluate empty query"),
        ("p := 1 if true", "expected body but got *ast.Rule"),
        ("default p := 1", "expected body but got *ast.Rule"),
        ("x = ", "parse: 1 error occurred: 1:4: rego_parse_error: unexpected eof token"),
        ("a := 1; b := ]", "parse: 1 error occurred: 1:14: rego_parse_error: unexpected ] token"),
        ("x > 1", "compile: 1 error occurred: 1:1: rego_unsafe_var_error: var x is unsafe"),
        ("y := x", "compile: 1 error occurred: 1:6: rego_unsafe_var_error: var x is unsafe"),
        ("x := 1; x := 2", "compile: 1 error occurred: 1:9: rego_compile_error: var x assigned above"),
        ("nofunc(1)", "compile: 1 error occurred: 1:1: rego_type_error: undefined function nofunc"),
        (
            "x := http.send({})",
            "compile: 1 error occurred: 1:6: rego_type_error: unsafe built-in function calls in expression: http.send",
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(rows(&snapshot, query), expected, "{query}");
    }
    let answer = snapshot.ask(&text("x := 1\n x > 0"), None).expect("evaluates");
    let shown = &answer.rows[0].expressions[1];
    assert_eq!((&*shown.text, shown.location.row, shown.location.col), ("x > 0", 2, 2));
    assert_eq!(shown.value, Value::from(true));
}

#[tokio::test]
async fn what_regorus_cannot_do_is_named() {
    let snapshot = with("{}", &[]).await;
    let query = QueryText { text: "p".to_owned(), package: Some(Path::from_slashes("a")), ..QueryText::default() };
    let error = snapshot.ask(&Query::Text(query), None).expect_err("refused");
    assert_eq!(error.to_string(), "engine `regorus` does not support queries inside a package");
}

#[tokio::test]
async fn built_in_errors_count_only_when_strict() {
    let snapshot = with("{}", &[("a.rego", "package a\n\np := 1 / 0\nq := count(input)")]).await;
    let input = json("1");
    for (path, strict, expected) in [
        ("a/p", false, "undefined"),
        ("a/q", false, "undefined"),
        ("a/p", true, "1 error occurred: a.rego:3: eval_builtin_error: div: divide by zero"),
        (
            "a/q",
            true,
            "1 error occurred: a.rego:4: eval_type_error: `count` requires array/object/set/string argument. Got `1`.",
        ),
    ] {
        let mut evaluation = snapshot.evaluation(Some(&input));
        evaluation.strict_builtin_errors = strict;
        let query = snapshot.prepare(&document(path)).expect("prepares");
        let shown = match query.evaluate(&mut evaluation) {
            Ok(answer) => answer.document().map_or("undefined".to_owned(), encode),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected);
    }
}

#[tokio::test]
async fn queries_are_not_evaluated_when_they_are_prepared() {
    let snapshot = with("{}", &[("a.rego", "package a\n\np := strings.count(\"abc\", \"\")")]).await;
    // Evaluating any of them makes regorus panic.
    for query in ["x := data.a.p", "strings.count(\"abc\", \"\", x); y := x", "some x in [data.a.p]; y = x; data.a[z]"]
    {
        assert!(snapshot.prepare(&text(query)).is_ok(), "{query}");
        assert!(rows(&snapshot, query).contains("regorus panicked"), "{query}");
    }
}
