//! Types as JSON, as `opa capabilities` shows them.

use super::{Signature, Type};
use crate::value::Value;

impl Type {
    /// The type as JSON: `{"type": "array", "dynamic": {"type": "any"}}`.
    pub fn to_json(&self) -> Value {
        let list = |types: &[Type]| Value::array(types.iter().map(Self::to_json));
        let mut entries = vec![("type", Value::from(self.kind()))];
        match self {
            Self::Null | Self::Boolean | Self::Number | Self::String => {}
            Self::Array { items, rest } => {
                if !items.is_empty() {
                    entries.push(("static", list(items)));
                }
                entries.extend(rest.iter().map(|rest| ("dynamic", rest.to_json())));
            }
            Self::Object { fields, rest } => {
                let property = |key: Value, value: &Type| Value::object([("key", key), ("value", value.to_json())]);
                if !fields.is_empty() {
                    let fields = fields.iter().map(|(key, value)| property(key.clone(), value));
                    entries.push(("static", Value::array(fields)));
                }
                entries.extend(rest.iter().map(|(key, value)| ("dynamic", property(key.to_json(), value))));
            }
            Self::Set(member) => entries.push(("of", member.to_json())),
            Self::Any(types) => {
                if !types.is_empty() {
                    entries.push(("of", list(types)));
                }
            }
            Self::Function(signature) => return signature.to_json(),
        }
        Value::object(entries)
    }
}

impl Signature {
    /// The type as JSON: `{"type": "function", "args": […], "result": …}`.
    pub fn to_json(&self) -> Value {
        let mut entries = vec![("type", Value::from("function"))];
        if !self.parameters.is_empty() {
            entries.push(("args", Value::array(self.parameters.iter().map(Type::to_json))));
        }
        entries.extend(self.result.iter().map(|result| ("result", result.to_json())));
        entries.extend(self.variadic.iter().map(|variadic| ("variadic", variadic.to_json())));
        Value::object(entries)
    }
}
