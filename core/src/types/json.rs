//! Types as JSON, as `opa capabilities` shows them.

use std::collections::BTreeMap;

use super::{Signature, Type};
use crate::value::Value;

/// How deep types may lie in one another.
const DEPTH: usize = 64;

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

    /// Reads a type as [`Type::to_json`] writes it. Names and descriptions of parameters are passed over. Nothing for
    /// what is no type.
    pub fn from_json(json: &Value) -> Option<Self> {
        Self::read(json, DEPTH)
    }

    fn read(json: &Value, depth: usize) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        let one = |json: &Value| Self::read(json, depth);
        let list = |key: &str| match json.get(key) {
            Some(items) => items.as_array()?.iter().map(one).collect::<Option<Vec<_>>>(),
            None => Some(Vec::new()),
        };
        let boxed = |json: &Value| one(json).map(Box::new);
        Some(match json.get("type")?.as_str()? {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array { items: list("static")?, rest: optional(json.get("dynamic"), boxed)? },
            "object" => {
                let fields = json.get("static").map_or(Some(&[][..]), Value::as_array)?.iter();
                let fields = fields.map(|field| Some((field.get("key")?.clone(), one(field.get("value")?)?)));
                let rest =
                    optional(json.get("dynamic"), |rest| Some((boxed(rest.get("key")?)?, boxed(rest.get("value")?)?)))?;
                Self::Object { fields: fields.collect::<Option<BTreeMap<_, _>>>()?, rest }
            }
            "set" => Self::set_of(optional(json.get("of"), one)?.unwrap_or(Self::ANY)),
            "any" => Self::any_of(list("of")?),
            "function" => Self::Function(Box::new(Signature {
                parameters: list("args")?,
                variadic: optional(json.get("variadic"), one)?,
                result: optional(json.get("result"), one)?,
            })),
            _ => return None,
        })
    }
}

/// What is read of something that may be absent; nothing if it is there and cannot be read.
#[expect(clippy::option_option, reason = "absent and wrong are two answers")]
fn optional<T>(json: Option<&Value>, read: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    json.map(read).map_or(Some(None), |read| read.map(Some))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::decode;

    #[test]
    fn what_is_written_as_json_reads_back() {
        let texts = [
            "any",
            "any<number, set[any]>",
            "array<any>[string]",
            "object<a: string, b: array[number]>[string: any]",
            "(string, any...) => ???",
            "() => null",
        ];
        for text in texts {
            let parsed = Type::parse(text).expect("a type");
            assert_eq!(Type::from_json(&parsed.to_json()), Some(parsed), "{text}");
        }
    }

    #[test]
    fn what_is_no_type_is_not_read() {
        for text in ["{}", r#"{"type":"x"}"#, r#"{"type":"array","dynamic":{"type":"x"}}"#, r#"{"type":"any","of":1}"#]
        {
            assert_eq!(Type::from_json(&decode(text.as_bytes()).expect("JSON")), None, "{text}");
        }
    }
}
