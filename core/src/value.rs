//! Values of policy and data: JSON plus sets and arbitrary object keys.
//!
//! A [`Value`] is immutable and cheap to clone. Values are ordered as OPA orders them:
//! null < boolean < number < string < array < object < set. Numbers keep the spelling they came with and are
//! compared exactly.

mod decode;
mod encode;
mod number;
mod object;
mod ordered;
mod path;
mod serial;

use std::cmp::Ordering;
use std::sync::Arc;

pub use decode::{DecodeError, decode, decode_prefix};
pub use encode::{encode, encode_pretty, write_json, write_json_string};
pub use number::{Number, NumberError};
pub use object::{Object, Set};
pub use ordered::Json;
pub use path::Path;
pub use serial::{Unserializable, from_serialize, to_serde};

/// A Rego value.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number with the spelling it came with.
    Number(Number),
    /// A string of Unicode scalar values.
    String(Arc<str>),
    /// A list.
    Array(Arc<[Value]>),
    /// A map from values to values; in JSON every key is a string.
    Object(Object),
    /// A set; JSON shows it as a sorted array.
    Set(Set),
}

impl Value {
    /// An object without entries.
    pub fn empty_object() -> Self {
        Self::Object(Object::default())
    }

    /// An object of string keys. Of equal keys the last one wins.
    pub fn object<K: Into<Value>, V: Into<Value>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::Object(entries.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }

    /// An array of the items.
    pub fn array<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }

    /// The name of the value's type, as Rego's `type_name` gives it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::Set(_) => "set",
        }
    }

    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth of a boolean value.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The items of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of an object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// What an object holds under a string key. No copy of the key is made.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object()?.get_str(key)
    }

    /// What lies at a path of object keys and array indexes, or nothing.
    pub fn at<S: AsRef<str>>(&self, path: impl IntoIterator<Item = S>) -> Option<&Value> {
        path.into_iter().try_fold(self, |value, segment| value.child(segment.as_ref()))
    }

    fn child(&self, segment: &str) -> Option<&Value> {
        match self {
            Self::Object(entries) => entries.get_str(segment),
            Self::Array(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The value with `new` at the path of object keys, making missing parents and replacing parents that are no
    /// objects. Everything beside the path is shared with `self`.
    #[must_use]
    pub fn with<S: AsRef<str>>(&self, path: &[S], new: Value) -> Value {
        let Some((first, rest)) = path.split_first() else {
            return new;
        };
        let empty = Object::default();
        let entries = self.as_object().unwrap_or(&empty);
        let below = entries.get_str(first.as_ref()).cloned().unwrap_or_else(Value::empty_object);
        Self::Object(entries.with(first.as_ref().into(), below.with(rest, new)))
    }

    /// The value without what lies at the path of object keys. Everything else is shared with `self`.
    #[must_use]
    pub fn without<S: AsRef<str>>(&self, path: &[S]) -> Value {
        let (Some((first, rest)), Self::Object(entries)) = (path.split_first(), self) else {
            return self.clone();
        };
        let Some(below) = entries.get_str(first.as_ref()) else {
            return self.clone();
        };
        let key = Value::from(first.as_ref());
        Self::Object(if rest.is_empty() { entries.without(&key) } else { entries.with(key, below.without(rest)) })
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Number(_) => 2,
            Self::String(_) => 3,
            Self::Array(_) => 4,
            Self::Object(_) => 5,
            Self::Set(_) => 6,
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Array(a), Self::Array(b)) => a.cmp(b),
            (Self::Object(a), Self::Object(b)) => a.cmp(b),
            (Self::Set(a), Self::Set(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}

impl std::fmt::Display for Value {
    /// The value as compact JSON.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&encode(self))
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::String(text.as_str().into())
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::String(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Number(i64::from(number).into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(i64::from(number).into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<Object> for Value {
    fn from(entries: Object) -> Self {
        Self::Object(entries)
    }
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(items: Vec<V>) -> Self {
        Self::array(items)
    }
}

impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        decode(json.as_bytes()).expect("valid JSON")
    }

    #[test]
    fn types_are_ordered_before_contents() {
        let ordered = ["null", "false", "true", "-1", "2", "\"\"", "\"a\"", "[]", "[9]", "{}", "{\"a\":1}"];
        for pair in ordered.windows(2) {
            assert!(value(pair[0]) < value(pair[1]), "{} < {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn objects_compare_key_by_key_then_by_length() {
        assert!(value(r#"{"a":1}"#) < value(r#"{"a":1,"b":0}"#));
        assert!(value(r#"{"a":1,"b":0}"#) < value(r#"{"a":2}"#));
        assert!(value(r#"{"a":2}"#) < value(r#"{"b":1}"#));
    }

    #[test]
    fn a_changed_copy_shares_what_it_did_not_change() {
        let before = value(r#"{"a":{"b":1},"c":[1]}"#);
        let after = before.with(&["a", "x", "y"], Value::from(7_i64));
        assert_eq!(encode(&after), r#"{"a":{"b":1,"x":{"y":7}},"c":[1]}"#);
        assert_eq!(encode(&after.without(&["a", "x"])), encode(&before));
        assert_eq!(encode(&before), r#"{"a":{"b":1},"c":[1]}"#);
    }
}
