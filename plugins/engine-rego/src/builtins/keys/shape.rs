//! What Go's JSON makes of the values that keys and certificates consist of.

use regent_core::value::{Number, Value};

use super::super::base64;
use super::der::Oid;

/// Bytes are base64.
pub(crate) fn bytes(bytes: &[u8]) -> Value {
    base64::spell(bytes).into()
}

/// A list without items is null, as lists are that nothing was ever added to.
pub(crate) fn list<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Value {
    let items: Vec<Value> = items.into_iter().map(Into::into).collect();
    if items.is_empty() { Value::NULL } else { items.into() }
}

/// Numbers of any size are numbers.
pub(crate) fn number(digits: &impl ToString) -> Value {
    Number::parse(&digits.to_string()).expect("a whole number is a JSON number").into()
}

/// Object identifiers are arrays of numbers.
pub(crate) fn oid(oid: &Oid) -> Value {
    Value::array(oid.arcs().iter().copied())
}
