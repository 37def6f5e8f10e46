//! One case through the contract of engines and the store.

use std::sync::Arc;

use regent_core::engine::{Answer, Cancel, Engine, Evaluation, Query, QueryText};
use regent_core::store::Snapshot;
use regent_core::value::{Path, Value, encode};

use crate::case::Case;
use crate::compare::judge;
use crate::setup::snapshot;

/// Runs the case and says what is wrong, if anything is.
pub(crate) fn run(case: &Case, engine: &Arc<dyn Engine>, cancel: &Cancel) -> Result<(), String> {
    judge(&case.want, evaluate(case, engine, cancel))
}

fn evaluate(case: &Case, engine: &Arc<dyn Engine>, cancel: &Cancel) -> Result<Answer, String> {
    let snapshot = snapshot(engine, case.data.clone(), &case.modules)?;
    let input = match &case.input_term {
        Some(text) => Some(term(engine, text)?),
        None => case.input.clone(),
    };
    let prepared = snapshot.prepare(&query(case.query.clone())).map_err(|error| error.to_string())?;
    let mut evaluation = snapshot.evaluation(input.as_ref());
    evaluation.strict_builtin_errors = case.strict_errors;
    evaluation.cancel = cancel;
    let answer = prepared.evaluate(&mut evaluation).map_err(|error| error.to_string())?;
    agree(&snapshot, &case.query, &answer, &mut evaluation)?;
    Ok(answer)
}

/// A document asked for by its path is the one that the same reference as text gives.
fn agree(snapshot: &Snapshot, query: &str, answer: &Answer, evaluation: &mut Evaluation<'_>) -> Result<(), String> {
    let Some(reference) = query.strip_suffix(" = x").and_then(|reference| reference.strip_prefix("data.")) else {
        return Ok(());
    };
    if !reference.split('.').all(|part| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')) {
        return Ok(());
    }
    let document = Query::Document(Path::from_dots(reference));
    let prepared = snapshot.prepare(&document).map_err(|error| error.to_string())?;
    let document = prepared.evaluate(evaluation).map_err(|error| error.to_string())?;
    let bound = answer.rows.first().map(|row| &row.bindings[0].1);
    if document.document() == bound {
        Ok(())
    } else {
        Err(format!("document {:?} but text {:?}", document.document().map(encode), bound.map(encode)))
    }
}

/// The value of a Rego term, which only the engine can read.
fn term(engine: &Arc<dyn Engine>, text: &str) -> Result<Value, String> {
    let snapshot = snapshot(engine, Value::empty_object(), &[""; 0])?;
    let answer = snapshot.ask(&query(format!("x := {text}")), None).map_err(|error| error.to_string())?;
    let row = answer.rows.into_iter().next().ok_or("the input is undefined")?;
    row.bindings.into_iter().next().map(|(_, value)| value).ok_or_else(|| "the input is not bound".to_owned())
}

fn query(text: String) -> Query {
    Query::Text(QueryText { text, ..QueryText::default() })
}
