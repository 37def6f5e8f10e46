//! Values of Rust, made Rego values.

use std::sync::Arc;

use super::number::Spelling;
use super::{Node, Number, Object, Repr, Set, Short, Value};

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self(Repr::Bool(truth))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(Short::new(text).map_or_else(|| Repr::Long(text.into()), Repr::Short))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        (&*text).into()
    }
}

impl From<&Arc<str>> for Value {
    fn from(text: &Arc<str>) -> Self {
        (&**text).into()
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self(Repr::Int(number))
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self(Repr::Int(number.into()))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self(Repr::Int(number.into()))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Number::from(number).into()
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self(match number.into_spelling() {
            Spelling::Int(int) => Repr::Int(int),
            Spelling::Text(text) => Repr::Decimal(text),
        })
    }
}

impl From<Object> for Value {
    fn from(entries: Object) -> Self {
        Self(Repr::Object(entries))
    }
}

impl From<Set> for Value {
    fn from(members: Set) -> Self {
        Self(Repr::Set(members))
    }
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(items: Vec<V>) -> Self {
        Self(Repr::Array(Node::new((), items.into_iter().map(Into::into))))
    }
}

impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::NULL, Into::into)
    }
}

impl FromIterator<Value> for Value {
    /// An array of the items.
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self::array(items)
    }
}
