//! GraphQL: queries, schemas, and whether they fit.
//!
//! ```text
//! text --lexer, parser--> tree <--serde--> JSON;   tree of a schema --schema--> checked schema --validate--> complaints
//! ```
//!
//! The reader, the shape of trees and the rules are those of the library that OPA uses.

mod budget;
mod lexer;
mod parser;
mod problem;
mod schema;
mod suggest;
mod tree;
mod validate;

use std::sync::Arc;

use budget::Budget;
use problem::Fault;
use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Value, View, encode, from_serialize, to_serde};
use schema::Schema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tree::{QueryDocument, SchemaDocument};

use super::cache::Cache;
use super::hex;
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "graphql.parse(
            query: any<string, object[any: any]>, # a query, as text or as a tree
            schema: any<string, object[any: any]> # a schema, as text or as a tree
        ) => output: array<object[any: any], object[any: any]> # the trees of query and schema",
        "Gives the trees of a query and a schema if the query fits the schema.",
        parse,
    ),
    function(
        "graphql.parse_and_verify(
            query: any<string, object[any: any]>, # a query, as text or as a tree
            schema: any<string, object[any: any]> # a schema, as text or as a tree
        ) => output: array<boolean, object[any: any], object[any: any]> # whether they fit, and if so their trees",
        "Tells whether a query fits a schema, and gives the trees of both if so.",
        parse_and_verify,
    ),
    function(
        "graphql.parse_query(
            query: string # a query
        ) => output: object[any: any] # its tree",
        "Gives the tree of a query.",
        |operands, call| {
            operands.string(0)?;
            roomy(|| shown(&document(operands, 0, call, parser::query)?).map(Some))
        },
    ),
    function(
        "graphql.parse_schema(
            schema: string # a schema
        ) => output: object[any: any] # its tree",
        "Gives the tree of a schema.",
        |operands, call| {
            operands.string(0)?;
            roomy(|| schema_tree(operands, 0, call).map(Some))
        },
    ),
    function(
        "graphql.is_valid(
            query: any<string, object[any: any]>, # a query, as text or as a tree
            schema: any<string, object[any: any]> # a schema, as text or as a tree
        ) => output: boolean # whether the query fits the schema",
        "Tells whether a query fits a schema.",
        is_valid,
    ),
    function(
        "graphql.schema_is_valid(
            schema: any<string, object[any: any]> # a schema, as text or as a tree
        ) => output: boolean # whether it is one",
        "Tells whether a schema is one.",
        schema_is_valid,
    ),
];

/// How many schemas are kept, as many as OPA keeps.
const KEPT: usize = 10;

/// The stack that the deepest documents need.
const STACK: usize = 8 << 20;

/// Works on documents, on a stack that is large enough for those that are not nested too deeply.
fn roomy<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK, STACK, work)
}

/// What a function fails with that tells why.
fn error(fault: Fault) -> BuiltinError {
    match fault {
        Fault::Problem(problem) => BuiltinError::Failed(problem::of_parsing(&problem)),
        Fault::Enough => BuiltinError::failed("GraphQL parse error"),
        Fault::Cancelled => BuiltinError::Cancelled,
    }
}

/// The tree as a value.
fn shown(tree: &impl Serialize) -> Result<Value, BuiltinError> {
    from_serialize(tree).map_err(|error| BuiltinError::failed(error.to_string()))
}

/// The document that a tree stands for.
fn read<T: DeserializeOwned>(tree: &Value) -> Result<T, BuiltinError> {
    let unreadable = |problem: &dyn std::fmt::Display| BuiltinError::failed(format!("json: {problem}"));
    let mut json = to_serde(tree);
    if !prepare(&mut json, 0) {
        return Err(unreadable(&"exceeded max depth"));
    }
    serde_json::from_value(json).map_err(|error| unreadable(&error))
}

/// Takes out what is `null`, which stands for nothing, and tells whether the rest is not nested more deeply than the tree
/// of any text.
fn prepare(json: &mut serde_json::Value, depth: usize) -> bool {
    // An item, its list, and the object that the list is part of make a level.
    if depth > 3 * budget::DEPTH {
        return false;
    }
    match json {
        serde_json::Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().all(|item| prepare(item, depth + 1))
        }
        serde_json::Value::Object(entries) => {
            entries.retain(|_, value| !value.is_null());
            entries.values_mut().all(|value| prepare(value, depth + 1))
        }
        _ => true,
    }
}

/// The document of an operand that may be text or a tree. OPA counts operands from 0 here.
fn document<T: DeserializeOwned>(
    operands: Operands<'_>,
    position: usize,
    call: &Call<'_>,
    parse: impl FnOnce(&str, &mut Budget<'_>) -> Result<T, Fault>,
) -> Result<T, BuiltinError> {
    let operand = operands.any(position);
    match operand.view() {
        View::String(text) => parse(text, &mut Budget::new(call.cancel)).map_err(error),
        View::Object(_) => read(operand),
        _ => {
            let found = operand.type_name();
            let message = format!("operand {position} must be one of {{string, object}} but got {found}");
            Err(BuiltinError::Operand(message))
        }
    }
}

/// How many schemas are kept.
fn most(call: &Call<'_>) -> usize {
    call.caching.values.most(Some("graphql"), KEPT)
}

/// A tree that is kept.
struct Tree(Value);

/// The key that something made of a schema is kept under.
fn key(schema: &Value) -> String {
    hex::spell(&Sha256::digest(encode(schema)))
}

/// The tree of the schema at that position.
fn schema_tree(operands: Operands<'_>, position: usize, call: &Call<'_>) -> Result<Value, BuiltinError> {
    let make = || shown(&document(operands, position, call, parser::schema)?).map(Tree);
    let kept = call.shared.get::<Cache<Tree>>().get(most(call), &key(operands.any(position)), make)?;
    Ok(kept.0.clone())
}

/// The schema at that position, checked.
fn schema(operands: Operands<'_>, position: usize, call: &Call<'_>) -> Result<Arc<Schema>, BuiltinError> {
    let make = || {
        let document: SchemaDocument = document(operands, position, call, parser::schema)?;
        Schema::new(document, &mut Budget::new(call.cancel)).map_err(|fault| match fault {
            Fault::Problem(problem) => {
                BuiltinError::Failed(format!("Error in gqlparser SchemaDocument to Schema conversion: {problem}"))
            }
            fault => error(fault),
        })
    };
    call.shared.get::<Cache<Schema>>().get(most(call), &key(operands.any(position)), make)
}

/// The query, if it fits the schema, which stand at the first two positions.
fn fitting(operands: Operands<'_>, call: &Call<'_>) -> Result<QueryDocument, BuiltinError> {
    let query: QueryDocument = document(operands, 0, call, parser::query)?;
    let schema = schema(operands, 1, call)?;
    let problems = validate::validate(&schema, &query, &mut Budget::new(call.cancel)).map_err(error)?;
    if problems.is_empty() { Ok(query) } else { Err(BuiltinError::Failed(problem::of_validation(&problems))) }
}

/// What is said of a document that is wrong in whatever way.
fn or_else<T>(outcome: Result<T, BuiltinError>, wrong: impl FnOnce() -> T) -> Result<T, BuiltinError> {
    match outcome {
        Err(BuiltinError::Operand(_) | BuiltinError::Failed(_)) => Ok(wrong()),
        outcome => outcome,
    }
}

/// The trees of a query and a schema that fit.
fn trees(operands: Operands<'_>, call: &Call<'_>) -> Result<[Value; 2], BuiltinError> {
    let query = fitting(operands, call)?;
    Ok([shown(&query)?, schema_tree(operands, 1, call)?])
}

fn parse(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    roomy(|| Ok(Some(Value::array(trees(operands, call)?))))
}

fn parse_and_verify(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let verified = roomy(|| {
        let [query, schema] = trees(operands, call)?;
        Ok(Value::array([Value::from(true), query, schema]))
    });
    let unverified = || Value::array([Value::from(false), Value::empty_object(), Value::empty_object()]);
    or_else(verified, unverified).map(Some)
}

fn is_valid(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let valid = or_else(roomy(|| fitting(operands, call).map(|_| true)), || false)?;
    Ok(Some(valid.into()))
}

fn schema_is_valid(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let valid = or_else(roomy(|| schema(operands, 0, call).map(|_| true)), || false)?;
    Ok(Some(valid.into()))
}

#[cfg(test)]
mod tests;
