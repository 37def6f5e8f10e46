//! Faults that an evaluation ends with, by the names that clients know.

use std::sync::Arc;

use regent_core::engine::{Cancel, ErrorCode, Evaluation, QueryError};

use crate::setup::{answer, ask, document, json, load, on_small_stack};

/// A module whose `p` is found out by trying 10^10 combinations.
const ENDLESS: &str =
    "package t\n\nns := numbers.range(1, 100000)\np if { some x, y in ns; some z in ns; x + y + z < 0 }";

#[test]
fn a_signal_that_was_given_ends_the_evaluation_at_once() {
    let snapshot = load("package t\n\np := 1", json("{}")).expect("compiles");
    let cancel = Cancel::default();
    cancel.cancel();
    let prepared = snapshot.prepare(&document("p")).expect("is there");
    let error = prepared.evaluate(&mut Evaluation { cancel: &cancel, ..snapshot.evaluation(None) });
    let error = error.expect_err("was cancelled");
    assert!(error.is_cancelled());
    let QueryError::Evaluation(errors) = error else { panic!("{error}") };
    assert_eq!(errors.0.len(), 1);
    assert_eq!(errors.0[0].code.as_str(), "eval_cancel_error");
    assert_eq!(errors.0[0].message, "caller cancelled query execution");
}

#[test]
fn a_signal_from_another_thread_ends_the_evaluation() {
    let snapshot = load(ENDLESS, json("{}")).expect("compiles");
    let answer = ask(&snapshot, &document("p"), None, &crate::setup::cancel_soon());
    assert!(answer.contains("eval_cancel_error"), "{answer}");
}

#[test]
fn a_signal_to_a_parent_ends_the_evaluation_and_others_go_on() {
    let snapshot = load("package t\n\np := 1", json("{}")).expect("compiles");
    let (one, other) = (Cancel::default(), Cancel::default());
    one.cancel();
    assert!(ask(&snapshot, &document("p"), None, &one.child()).contains("eval_cancel_error"));
    assert_eq!(ask(&snapshot, &document("p"), None, &other.child()), "1");
}

#[test]
fn an_evaluation_that_is_nested_too_deep_says_so() {
    let rules = on_small_stack(|| {
        let steps = "input[_]; ".repeat(100) + "true";
        let rules = (0..1_100).map(|at| format!("p{at} := p{} if {{{steps}}}\n", at + 1)).collect::<Vec<_>>().concat();
        answer(&format!("p := p0\n{rules}\np1100 := 1"), Some(&json("[1]")))
    });
    assert!(rules.contains("eval_internal_error: evaluation is nested too deep"), "{rules}");
}

#[test]
fn a_failed_evaluation_leaves_the_state_as_it_was() {
    let snapshot = Arc::clone(&load("package t\n\np := 1\np := 2 if input.x\nq := 3", json("{}")).expect("compiles"));
    let input = json(r#"{"x": true}"#);
    for _ in 0..2 {
        assert!(
            ask(&snapshot, &document("p"), Some(&input), &Cancel::default()).contains(ErrorCode::EvalConflict.as_str())
        );
        assert_eq!(ask(&snapshot, &document("p"), None, &Cancel::default()), "1");
        assert_eq!(ask(&snapshot, &document("q"), None, &Cancel::default()), "3");
    }
}
