//! Values of policy and data: JSON plus sets and arbitrary object keys.
//!
//! A [`Value`] is immutable, 16 bytes small and cheap to clone. Values are ordered as OPA orders them:
//! null < boolean < number < string < array < object < set. Numbers keep the spelling they came with and are
//! compared exactly.
//!
//! Integers and strings of up to 14 bytes are held inline; all else is shared. Objects with the same keys may share
//! them, and all objects of one JSON document do. Dropping, comparing, hashing and encoding a value walks nesting of any
//! depth without overflowing the stack.

mod convert;
mod decode;
mod encode;
mod index;
mod node;
mod number;
mod object;
mod order;
mod ordered;
mod path;
mod serial;
mod set;
mod shallow;
mod text;
mod view;

use arcstr::ArcStr;

pub use decode::{DecodeError, Parted, decode, decode_fields, decode_prefix};
pub use encode::{encode, encode_pretty, write_json, write_json_string};
pub use number::{Number, NumberError, RemainderError};
pub use object::{Entries, KeyHint, Object};
pub use ordered::Json;
pub use path::Path;
pub use serial::{Unserializable, from_serialize, to_serde};
pub use set::Set;
pub use shallow::decode_shallow;
pub use view::View;

use node::Node;
use order::TEXT_RANK;
use text::Short;

/// A Rego value. Look into it with [`Value::view`] and the `as_` functions.
#[derive(Clone, Default)]
pub struct Value(Repr);

/// How a value is held. Each value has one representation only, but for numbers.
#[derive(Clone, Default)]
enum Repr {
    #[default]
    Null,
    Bool(bool),
    /// An integer in its canonical spelling.
    Int(i64),
    /// A number in any other spelling.
    Decimal(ArcStr),
    /// A string that fits in.
    Short(Short),
    /// A longer string.
    Long(ArcStr),
    Array(Node<()>),
    Object(Object),
    Set(Set),
}

const _: () = assert!(size_of::<Value>() == 16 && size_of::<Option<Value>>() == 16);

impl Value {
    /// `null`, which is also the default.
    pub const NULL: Self = Self(Repr::Null);

    /// An object without entries.
    pub fn empty_object() -> Self {
        Self(Repr::Object(Object::default()))
    }

    /// An object of string keys. Of equal keys the last one wins.
    pub fn object<K: Into<Value>, V: Into<Value>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(Repr::Object(entries.into_iter().map(|(k, v)| (k.into(), v.into())).collect()))
    }

    /// An array of the items.
    pub fn array<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Self {
        let items: Vec<Value> = items.into_iter().map(Into::into).collect();
        Self(Repr::Array(Node::new((), items.into_iter())))
    }

    /// A set of the members; of equal members the first one stays.
    pub fn set<V: Into<Value>>(members: impl IntoIterator<Item = V>) -> Self {
        Self(Repr::Set(members.into_iter().map(Into::into).collect()))
    }

    /// The value, to be matched on.
    #[inline]
    pub fn view(&self) -> View<'_> {
        match &self.0 {
            Repr::Null => View::Null,
            Repr::Bool(truth) => View::Bool(*truth),
            Repr::Int(int) => View::Number((*int).into()),
            Repr::Decimal(text) => View::Number(Number::from_text(text.clone())),
            Repr::Short(text) => View::String(text.as_str()),
            Repr::Long(text) => View::String(text),
            Repr::Array(items) => View::Array(items.values()),
            Repr::Object(entries) => View::Object(entries),
            Repr::Set(members) => View::Set(members),
        }
    }

    /// The name of the value's type, as Rego's `type_name` gives it.
    pub fn type_name(&self) -> &'static str {
        match &self.0 {
            Repr::Null => "null",
            Repr::Bool(_) => "boolean",
            Repr::Int(_) | Repr::Decimal(_) => "number",
            Repr::Short(_) | Repr::Long(_) => "string",
            Repr::Array(_) => "array",
            Repr::Object(_) => "object",
            Repr::Set(_) => "set",
        }
    }

    /// Whether it is `null`.
    #[inline]
    pub fn is_null(&self) -> bool {
        matches!(self.0, Repr::Null)
    }

    /// Whether it is an object.
    #[inline]
    pub fn is_object(&self) -> bool {
        matches!(self.0, Repr::Object(_))
    }

    /// Whether it is an array.
    #[inline]
    pub fn is_array(&self) -> bool {
        matches!(self.0, Repr::Array(_))
    }

    /// Whether values lie within the value.
    fn is_nested(&self) -> bool {
        match &self.0 {
            Repr::Array(items) => !items.values().is_empty(),
            Repr::Object(entries) => !entries.is_empty(),
            Repr::Set(members) => !members.is_empty(),
            _ => false,
        }
    }

    /// Whether it is a string.
    #[inline]
    pub fn is_string(&self) -> bool {
        matches!(self.0, Repr::Short(_) | Repr::Long(_))
    }

    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Short(text) => Some(text.as_str()),
            Repr::Long(text) => Some(text),
            _ => None,
        }
    }

    /// The truth of a boolean value.
    #[inline]
    pub fn as_bool(&self) -> Option<bool> {
        match &self.0 {
            Repr::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The items of an array.
    #[inline]
    pub fn as_array(&self) -> Option<&[Value]> {
        match &self.0 {
            Repr::Array(items) => Some(items.values()),
            _ => None,
        }
    }

    /// The members of a set.
    #[inline]
    pub fn as_set(&self) -> Option<&Set> {
        match &self.0 {
            Repr::Set(members) => Some(members),
            _ => None,
        }
    }

    /// The number.
    #[inline]
    pub fn as_number(&self) -> Option<Number> {
        match &self.0 {
            Repr::Int(int) => Some((*int).into()),
            Repr::Decimal(text) => Some(Number::from_text(text.clone())),
            _ => None,
        }
    }

    /// The entries of an object.
    #[inline]
    pub fn as_object(&self) -> Option<&Object> {
        match &self.0 {
            Repr::Object(entries) => Some(entries),
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
        match &self.0 {
            Repr::Object(entries) => entries.get_str(segment),
            Repr::Array(items) => items.values().get(segment.parse::<usize>().ok()?),
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
        entries.with(first.as_ref().into(), below.with(rest, new)).into()
    }

    /// The value without what lies at the path of object keys. Everything else is shared with `self`.
    #[must_use]
    pub fn without<S: AsRef<str>>(&self, path: &[S]) -> Value {
        let (Some((first, rest)), Some(entries)) = (path.split_first(), self.as_object()) else {
            return self.clone();
        };
        let Some(below) = entries.get_str(first.as_ref()) else {
            return self.clone();
        };
        let key = Value::from(first.as_ref());
        if rest.is_empty() { entries.without(&key).into() } else { entries.with(key, below.without(rest)).into() }
    }
}

impl std::fmt::Display for Value {
    /// The value as compact JSON.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&encode(self))
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        order::descend(|| self.view().fmt(f))
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
