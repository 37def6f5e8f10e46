//! What a template works with.

use regent_core::value::{Value, View};

use super::deeper;

/// A value in a template. Numbers of JSON are text, as Go's `json.Number` is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// There is none.
    Nothing,
    Bool(bool),
    /// A number of the template itself.
    Int(i64),
    /// A number of the template itself.
    Float(f64),
    Text(String),
    /// An array or object.
    Json(Value),
}

impl Item {
    /// The item that a JSON value is.
    pub(super) fn of(value: &Value) -> Self {
        match value.view() {
            View::Null => Self::Nothing,
            View::Bool(value) => Self::Bool(value),
            View::Number(number) => Self::Text(number.to_literal().to_string()),
            View::String(text) => Self::Text(text.to_string()),
            _ => Self::Json(value.clone()),
        }
    }

    /// The value that `printf` shows.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Nothing => Value::NULL,
            Self::Bool(value) => Value::from(*value),
            Self::Int(number) => Value::from(*number),
            Self::Float(_) | Self::Text(_) => Value::from(self.to_string()),
            Self::Json(value) => value.clone(),
        }
    }

    /// Whether conditions take it for true.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Bool(value) => *value,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Json(value) => self.len().is_none_or(|len| len > 0) && !matches!(value.view(), View::Null),
        }
    }

    /// How many parts it has, if it has any.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::Text(text) => Some(text.len()),
            Self::Json(value) => match value.view() {
                View::Array(items) => Some(items.len()),
                View::Object(entries) => Some(entries.len()),
                _ => None,
            },
            _ => None,
        }
    }
}

impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str(super::NO_VALUE.0),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::Json(value) => {
                let mut out = String::new();
                spell(&mut out, value);
                f.write_str(&out)
            }
        }
    }
}

/// Writes a value as Go prints it: `[1 a]`, `map[k:v]`.
fn spell(out: &mut String, value: &Value) {
    match value.view() {
        View::Null => out.push_str("<nil>"),
        View::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place > 0 { " " } else { "" });
                deeper(|| spell(out, item));
            }
            out.push(']');
        }
        View::Object(entries) => {
            out.push_str("map[");
            for (place, (key, value)) in entries.iter().enumerate() {
                out.push_str(if place > 0 { " " } else { "" });
                out.push_str(key.as_str().unwrap_or_default());
                out.push(':');
                deeper(|| spell(out, value));
            }
            out.push(']');
        }
        _ => out.push_str(&Item::of(value).to_string()),
    }
}
