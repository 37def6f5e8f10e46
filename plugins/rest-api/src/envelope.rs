//! Objects that a request is wrapped in, read as leniently as Go's JSON decoder reads structs.

use regent_core::Value;

/// The value of a field. Case does not matter, but the exact spelling goes first; null is no value.
pub(crate) fn field<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let entries = object.as_object()?;
    let alike = || {
        let same = |key: &Value| key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name));
        entries.iter().find(|(key, _)| same(key)).map(|(_, value)| value)
    };
    entries.get_str(name).or_else(alike).filter(|value| !value.is_null())
}

/// The value of a field as Go reads it into a struct: of those whose names differ in nothing but case, the last; null
/// is no value.
pub(crate) fn last_field(fields: impl DoubleEndedIterator<Item = (Value, Value)>, name: &str) -> Option<Value> {
    let is_named = |key: &Value| key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name));
    fields.rev().find(|(key, _)| is_named(key)).map(|(_, value)| value).filter(|value| !value.is_null())
}

/// The complaint about a document of the wrong type.
pub(crate) fn not_a(found: &Value, wanted: &str) -> String {
    format!("json: cannot unmarshal {} into Go value of type {wanted}", go_name(found))
}

/// The complaint about a field of the wrong type.
pub(crate) fn not_in(found: &Value, field: &str, wanted: &str) -> String {
    format!("json: cannot unmarshal {} into Go struct field {field} of type {wanted}", go_name(found))
}

/// The text of a field that must be a string; empty if absent.
///
/// # Errors
/// The complaint that a client of OPA knows.
pub(crate) fn text(object: &Value, name: &str, structure: &str) -> Result<String, String> {
    match field(object, name) {
        None => Ok(String::new()),
        Some(value) => {
            let refused = || not_in(value, &format!("{structure}.{name}"), "string");
            value.as_str().map(str::to_owned).ok_or_else(refused)
        }
    }
}

fn go_name(value: &Value) -> &'static str {
    if value.as_bool().is_some() { "bool" } else { value.type_name() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        regent_core::value::decode(text.as_bytes()).expect("JSON")
    }

    #[test]
    fn fields_are_found_whatever_their_case() {
        assert_eq!(field(&json(r#"{"INPUT":5}"#), "input"), Some(&5_i64.into()));
        assert_eq!(field(&json(r#"{"INPUT":5,"input":6}"#), "input"), Some(&6_i64.into()));
        assert_eq!(field(&json(r#"{"input":null}"#), "input"), None);
        assert_eq!(field(&json("[]"), "input"), None);
    }

    #[test]
    fn the_last_of_several_fields_counts() {
        let found = |names: &[&str]| {
            let fields = names.iter().enumerate().map(|(at, name)| (Value::from(*name), Value::from(at as u64)));
            last_field(fields, "input").map(|value| value.to_string())
        };
        assert_eq!(found(&["input", "x", "INPUT", "y"]).as_deref(), Some("2"));
        assert_eq!(found(&["Input", "input"]).as_deref(), Some("1"));
        assert_eq!((found(&[]), found(&["inputs"])), (None, None));
        let null = [("input", 1.into()), ("Input", Value::NULL)].map(|(name, value)| (Value::from(name), value));
        assert_eq!(last_field(null.into_iter(), "input"), None);
    }

    #[test]
    fn wrong_types_are_named_as_go_names_them() {
        let query = text(&json(r#"{"query":true}"#), "query", "QueryRequestV1").expect_err("no string");
        assert_eq!(query, "json: cannot unmarshal bool into Go struct field QueryRequestV1.query of type string");
        assert_eq!(not_a(&json("[1]"), "T"), "json: cannot unmarshal array into Go value of type T");
    }
}
