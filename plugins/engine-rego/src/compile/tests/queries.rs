use super::{Arc, Options, PolicyErrors, QueryContext, RegoVersion, SourceFile, stock};
use super::{compile_query, compile_texts, parse_body};
use crate::compile::query::{Capture, CompiledQuery};
use regent_core::metrics::Metrics;

fn compiled(text: &str) -> Result<CompiledQuery, PolicyErrors> {
    let source = SourceFile { name: "".into(), text: text.into() };
    let body = parse_body(Arc::new(source), RegoVersion::V1)?;
    let program = compile_texts(&["package test\np := 1\nf(x) := x\nq contains 1"], Options::default())?;
    compile_query(body, &QueryContext::default(), &program, &stock(), &Options::default(), &mut Metrics::default())
}

fn exprs(query: &CompiledQuery) -> String {
    query.body.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_value_of_each_expression_is_captured() {
    let query = compiled("data.test.q[x]; not data.test.p").expect("compiles");
    assert_eq!(exprs(&query), "data.test.q[x] = _; not data.test.p; _");
    let captures: Vec<_> = query.captures.iter().map(|(span, capture)| (span.text(), capture.clone())).collect();
    let first = Capture::Var("$term1".into());
    assert_eq!(captures, [("data.test.q[x]", first), ("not data.test.p", Capture::True)]);
}

#[test]
fn one_false_expression_is_a_value_and_not_a_failure() {
    assert_eq!(exprs(&compiled("1 == 2").expect("compiles")), "equal(1, 2, _)");
    assert_eq!(exprs(&compiled("1 == 2; true").expect("compiles")), "equal(1, 2, _); true = _; _; _");
}

#[test]
fn declared_variables_show_under_their_names() {
    let query = compiled("x := 1; y = x; _ = 2").expect("compiles");
    assert_eq!(exprs(&query), "__localq0__ = 1; y = __localq0__; _ = 2");
    assert_eq!(query.shown(&"__localq0__".into()), Some(&"x".into()));
    assert_eq!(query.shown(&"y".into()), Some(&"y".into()));
    assert_eq!(query.shown(&"$term1".into()), None);
    assert_eq!(query.shown(&"$0".into()), None);
}

#[test]
fn an_empty_query_is_an_error() {
    let error = compiled("").expect_err("nothing to ask");
    assert_eq!(error.to_string(), "1 error occurred: rego_compile_error: empty query cannot be compiled");
}
