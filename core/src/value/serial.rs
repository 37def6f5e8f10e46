//! Bridges to serde: typed structs become values, and values become input for typed structs.

use serde::Serialize;

use super::{Number, Value};

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
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => truth.into(),
        serde_json::Value::Number(number) => Value::Number(Number::from_literal(&number.to_string())),
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
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| serde_json::Number::from_f64(number.as_f64()).into(), Into::into)
        }
        Value::String(text) => (&**text).into(),
        Value::Array(items) => items.iter().map(to_serde).collect(),
        Value::Set(members) => members.iter().map(to_serde).collect(),
        Value::Object(entries) => {
            let text = |key: &Value| key.as_str().map_or_else(|| super::encode(key), str::to_owned);
            serde_json::Value::Object(entries.iter().map(|(key, value)| (text(key), to_serde(value))).collect())
        }
    }
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_serde(self).serialize(serializer)
    }
}
