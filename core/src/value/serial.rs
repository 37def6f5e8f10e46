//! Bridges to serde: typed structs become values, and values become input for typed structs.

use serde::Serialize;

use super::order::descend;
use super::{Number, Value, View};

/// A struct that cannot be shown as a value, for example because a map has keys that are no strings.
#[derive(Debug, thiserror::Error)]
#[error("cannot be shown as JSON: {0}")]
pub struct Unserializable(#[from] serde_json::Error);

/// The value that the struct serializes to.
///
/// # Errors
/// When the struct's own `Serialize` fails.
pub fn from_serialize<T: Serialize + ?Sized>(source: &T) -> Result<Value, Unserializable> {
    Ok(from_serde(serde_json::to_value(source)?))
}

fn from_serde(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::NULL,
        serde_json::Value::Bool(truth) => truth.into(),
        serde_json::Value::Number(number) => Number::from_literal(&number.to_string()).into(),
        serde_json::Value::String(text) => text.into(),
        serde_json::Value::Array(items) => Value::array(items.into_iter().map(from_serde)),
        serde_json::Value::Object(entries) => {
            Value::object(entries.into_iter().map(|(key, value)| (key, from_serde(value))))
        }
    }
}

/// The value in serde's form, for reading it into a typed struct. Numbers lose what a 64-bit integer or float cannot
/// hold, so this is for configuration and reports, never for policy data.
pub fn to_serde(value: &Value) -> serde_json::Value {
    match value.view() {
        View::Null => serde_json::Value::Null,
        View::Bool(truth) => truth.into(),
        View::Number(number) => {
            number.as_i64().map_or_else(|| serde_json::Number::from_f64(number.as_f64()).into(), Into::into)
        }
        View::String(text) => text.into(),
        View::Array(items) => descend(|| items.iter().map(to_serde).collect()),
        View::Set(members) => descend(|| members.iter().map(to_serde).collect()),
        View::Object(entries) => {
            let text = |key: &Value| key.as_str().map_or_else(|| super::encode(key), str::to_owned);
            let entry = |(key, value)| (text(key), to_serde(value));
            descend(|| serde_json::Value::Object(entries.iter().map(entry).collect()))
        }
    }
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_serde(self).serialize(serializer)
    }
}
