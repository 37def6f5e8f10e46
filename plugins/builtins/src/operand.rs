//! What several families ask of their operands.

use regent_core::builtin::{BuiltinError, Operands};
use regent_core::value::{Value, View};

/// An integer as OPA's functions take it: spelled as one, so neither `1.0` nor `1e0`, and within 64 bits.
///
/// # Errors
/// `operand 2 must be integer number but got floating-point number`
pub(super) fn integer(operands: Operands<'_>, position: usize) -> Result<i64, BuiltinError> {
    operands
        .number(position)?
        .to_literal()
        .parse()
        .map_err(|_| BuiltinError::operand(position, "must be integer number but got floating-point number"))
}

/// The strings of an array or a set.
///
/// # Errors
/// `operand 1 must be array of strings but got array containing number`, or that it is neither, in the words of
/// `expected`: `one of {set, array}`.
pub(super) fn strings<'a>(
    operands: Operands<'a>,
    position: usize,
    expected: &str,
) -> Result<Vec<&'a str>, BuiltinError> {
    let collection = operands.any(position);
    let text = |item: &'a Value| item.as_str().ok_or_else(|| element(position, collection, item, "string"));
    match collection.view() {
        View::Array(items) => items.iter().map(text).collect(),
        View::Set(members) => members.iter().map(text).collect(),
        _ => Err(operands.must_be(position, expected)),
    }
}

/// The error that says what a collection may hold.
pub(super) fn element(position: usize, collection: &Value, found: &Value, expected: &str) -> BuiltinError {
    let kind = collection.type_name();
    BuiltinError::operand(
        position,
        format_args!("must be {kind} of {expected}s but got {kind} containing {}", found.type_name()),
    )
}
