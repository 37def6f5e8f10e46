//! Queries for the document at a path.

use std::sync::Arc;

use regent_core::engine::{Answer, Evaluation, PreparedQuery, QueryError};
use regent_core::value::{Path, Value};
use regorus::Value as Theirs;

use crate::convert::from_regorus;
use crate::documents::Documents;
use crate::run::{run, unconvertible};

/// What regorus says about a path that names no rule.
const NO_RULE: &str = "not a valid rule path";

/// A query for one document.
pub(crate) struct DocumentQuery {
    path: Path,
    reference: String,
    way: Way,
}

/// How the document comes about.
enum Way {
    /// No rule has a part in it.
    Base,
    /// It is a rule's value, or lies within.
    Rule { rule: String, below: Vec<Arc<str>> },
    /// Rules of one or more packages, and base data, make it together.
    Merged,
}

impl DocumentQuery {
    pub(crate) fn new(path: &Path, documents: &Documents) -> Self {
        let way = match documents.rule_above(path) {
            Some(rule) if !documents.any_below(&rule) => {
                Way::Rule { rule: rule.to_reference(), below: path.segments()[rule.len()..].to_vec() }
            }
            None if !documents.any_within(path) => Way::Base,
            _ => Way::Merged,
        };
        Self { path: path.clone(), reference: path.to_reference(), way }
    }

    fn value(&self, evaluation: &mut Evaluation<'_>) -> Result<Option<Value>, QueryError> {
        let theirs = match &self.way {
            Way::Base => return Ok(self.base(evaluation)),
            Way::Rule { rule, below } => run(evaluation, |engine| {
                let whole = match engine.eval_rule(rule.clone()) {
                    Ok(whole) => whole,
                    Err(error) if error.to_string() == NO_RULE => reference(engine, rule)?,
                    Err(error) => return Err(error.to_string()),
                };
                Ok(descend(&whole, below).clone())
            })?,
            Way::Merged => run(evaluation, |engine| reference(engine, &self.reference))?,
        };
        let value = from_regorus(&theirs).map_err(|error| unconvertible(&error))?;
        Ok(if self.path.is_empty() { value.map(|data| without_system(&data)) } else { value })
    }

    fn base(&self, evaluation: &mut Evaluation<'_>) -> Option<Value> {
        let data = evaluation.data;
        evaluation.metrics.time("timer_rego_query_eval_ns", |_| {
            if self.path.is_empty() { Some(without_system(data)) } else { data.at(self.path.segments()).cloned() }
        })
    }
}

impl PreparedQuery for DocumentQuery {
    fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Result<Answer, QueryError> {
        Ok(Answer::of_document(self.value(evaluation)?, &self.reference))
    }
}

/// The agent's own part of the document is there for those who name it, not for those who ask for everything.
fn without_system(data: &Value) -> Value {
    data.without(&["system"])
}

/// The value of a reference as a query of its own.
fn reference(engine: &mut regorus::Engine, reference: &str) -> Result<Theirs, String> {
    let results = engine.eval_query(reference.to_owned(), false).map_err(|error| error.to_string())?;
    let first = results.result.into_iter().next();
    let value = first.and_then(|row| row.expressions.into_iter().next());
    Ok(value.map_or(Theirs::Undefined, |expression| expression.value))
}

/// Follows keys into a value. A key is a string in objects, or a number if there is no such string, and an index in
/// arrays.
fn descend<'a>(value: &'a Theirs, keys: &[Arc<str>]) -> &'a Theirs {
    keys.iter().fold(value, |value, key| match value {
        Theirs::Object(entries) => {
            let text = entries.get(&Theirs::String(key.clone()));
            let number = || entries.get(&key.parse::<i64>().ok()?.into());
            text.or_else(number).unwrap_or(&Theirs::Undefined)
        }
        Theirs::Array(items) => {
            let item = key.parse().ok().and_then(|index| items.get(index));
            item.unwrap_or(&Theirs::Undefined)
        }
        Theirs::Set(members) if members.contains(&Theirs::String(key.clone())) => {
            members.iter().find(|member| **member == Theirs::String(key.clone())).unwrap_or(&Theirs::Undefined)
        }
        _ => &Theirs::Undefined,
    })
}
