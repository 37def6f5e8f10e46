//! One evaluation: what goes in and what comes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cancel::{Cancel, Linger};
use super::{Linked, Location, PolicyError};
use crate::caching::Caching;
use crate::metrics::Metrics;
use crate::trace::Span;
use crate::value::{Value, encode};

/// Receives what `print` says.
pub trait Prints {
    /// One call of `print`.
    fn print(&mut self, text: &str, location: &Location);
}

/// Everything one evaluation works with.
pub struct Evaluation<'a> {
    /// Base data of the one state that the decision sees.
    pub data: &'a Value,
    /// What the program of that state derived from it.
    pub linked: &'a Linked,
    /// The input document; undefined if absent.
    pub input: Option<&'a Value>,
    /// Whether errors of built-in functions end the evaluation rather than make the call undefined.
    pub strict_builtin_errors: bool,
    /// Where errors of built-in functions go, if somebody wants to know all of them.
    pub builtin_errors: Option<&'a mut Vec<PolicyError>>,
    /// Set from outside when the client has gone.
    pub cancel: &'a Cancel,
    /// An engine that sees that it works for long goes on within this, so that whoever shares the thread need not wait.
    pub linger: Linger,
    /// Timers and counters that the answer may show.
    pub metrics: Metrics,
    /// Where `print` goes; dropped if absent.
    pub prints: Option<&'a mut dyn Prints>,
    /// How much built-in functions may keep from one query to the next.
    pub caching: &'a Caching,
    /// What non-deterministic built-in functions gave, if that is to be recorded.
    pub recorded: Option<Recorded>,
    /// The request that the evaluation belongs to, for functions that ask others on its behalf.
    pub trace: Option<&'a Span>,
}

/// What non-deterministic built-in functions gave in one evaluation. A call like one that is recorded is not made again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recorded(BTreeMap<Arc<str>, BTreeMap<Value, Value>>);

impl Recorded {
    /// What the function gave for the operands, which are an array.
    pub fn get(&self, function: &str, operands: &Value) -> Option<&Value> {
        self.0.get(function)?.get(operands)
    }

    /// Keeps what the function gave for the operands, which are an array.
    pub fn put(&mut self, function: &Arc<str>, operands: Value, result: Value) {
        self.0.entry(function.clone()).or_default().insert(operands, result);
    }

    /// The record as decision logs show it: functions by name, and in each the results by the operands' JSON.
    pub fn to_value(&self) -> Value {
        let calls = |calls: &BTreeMap<Value, Value>| {
            Value::object(calls.iter().map(|(operands, result)| (encode(operands), result.clone())))
        };
        Value::object(self.0.iter().map(|(function, known)| (function.clone(), calls(known))))
    }
}

impl<'a> Evaluation<'a> {
    /// An evaluation without options, which measures nothing. `linked` is what the query's own program made of `data`;
    /// [`Snapshot::evaluation`] has both.
    ///
    /// [`Snapshot::evaluation`]: crate::store::Snapshot::evaluation
    pub fn new(data: &'a Value, linked: &'a Linked, input: Option<&'a Value>) -> Self {
        Self {
            data,
            linked,
            input,
            strict_builtin_errors: false,
            builtin_errors: None,
            cancel: Cancel::never(),
            linger: |work| work(),
            metrics: Metrics::default(),
            prints: None,
            caching: Caching::standard(),
            recorded: None,
            trace: None,
        }
    }
}

/// The rows of an answer; none when the query is undefined.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// One row for each way in which the query holds.
    pub rows: Vec<Row>,
}

/// One way in which a query holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// The variables of the query, without generated ones and wildcards.
    pub bindings: Vec<(Arc<str>, Value)>,
    /// The value of each expression.
    pub expressions: Vec<Expression>,
}

/// The value of one expression of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// Its value.
    pub value: Value,
    /// Its text in the query.
    pub text: Arc<str>,
    /// Its place in the query.
    pub location: Location,
}

impl Answer {
    /// An answer of one row with one value, or no row.
    pub fn of_document(value: Option<Value>, text: &str) -> Self {
        let expression = |value| Expression { value, text: text.into(), location: Location::default() };
        let row = |value| Row { bindings: Vec::new(), expressions: vec![expression(value)] };
        Self { rows: value.map(row).into_iter().collect() }
    }

    /// The value of the only expression of the only row, which is what a document query gives.
    pub fn document(&self) -> Option<&Value> {
        self.rows.first()?.expressions.first().map(|expression| &expression.value)
    }

    /// As [`Answer::document`], by value.
    pub fn into_document(self) -> Option<Value> {
        Some(self.rows.into_iter().next()?.expressions.into_iter().next()?.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_found_again_and_shown_by_the_operands_json() {
        let mut recorded = Recorded::default();
        let operands = || Value::array([Value::from("a<b"), Value::from(2)]);
        recorded.put(&"rand.intn".into(), operands(), 1.into());
        assert_eq!(recorded.get("rand.intn", &operands()), Some(&1.into()));
        assert_eq!(recorded.get("rand.intn", &Value::array(["a"])), None);
        assert_eq!(recorded.get("uuid.rfc4122", &operands()), None);
        let shown = Value::object([("rand.intn", Value::object([(r#"["a\u003cb",2]"#, 1)]))]);
        assert_eq!(recorded.to_value(), shown);
    }
}
