//! Merging documents.

use regent_core::Value;

/// Stack that one more level of nesting may need.
const RED_ZONE: usize = 64 << 10;

/// Stack that is added when it runs short.
const GROWTH: usize = 1 << 20;

/// Both documents in one where both are objects, however deep; the first one everywhere else.
pub(super) fn merge(first: &Value, second: &Value) -> Value {
    let (Some(entries), Some(others)) = (first.as_object(), second.as_object()) else { return first.clone() };
    stacker::maybe_grow(RED_ZONE, GROWTH, || {
        let both = |(key, value): (&Value, &Value)| {
            let value = others.get(key).map_or_else(|| value.clone(), |other| merge(value, other));
            (key.clone(), value)
        };
        let only = others.iter().filter(|(key, _)| entries.get(key).is_none());
        Value::object(entries.iter().map(both).chain(only.map(|(key, value)| (key.clone(), value.clone()))))
    })
}

/// The document with a value at a path of keys. Parents that are missing or no objects become objects.
pub(super) fn put(document: Option<&Value>, path: &[Value], value: Value) -> Value {
    let Some((first, rest)) = path.split_first() else { return value };
    match document.and_then(Value::as_object) {
        Some(entries) => entries.with(first.clone(), put(entries.get(first), rest, value)).into(),
        None => Value::object([(first.clone(), put(None, rest, value))]),
    }
}
