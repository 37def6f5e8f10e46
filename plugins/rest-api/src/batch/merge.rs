//! What an input and the common one make together.

use regent_core::Value;

/// The input over the common one: objects are merged at every depth; of all else, the input's own counts.
pub(super) fn merged(common: &Value, input: &Value) -> Value {
    let (Some(below), Some(above)) = (common.as_object(), input.as_object()) else { return input.clone() };
    if below.is_empty() {
        return input.clone();
    }
    if above.is_empty() {
        return common.clone();
    }
    let kept = below.iter().map(|(key, value)| {
        let value = above.get(key).map_or_else(|| value.clone(), |own| merged(value, own));
        (key.clone(), value)
    });
    let own = above.iter().filter(|(key, _)| below.get(key).is_none());
    Value::object(kept.chain(own.map(|(key, value)| (key.clone(), value.clone()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_merged_at_every_depth_and_all_else_is_replaced() {
        let json = |text: &str| regent_core::value::decode(text.as_bytes()).expect("JSON");
        let common = json(r#"{"a": 1, "b": {"c": 2, "d": [1], "e": {"f": 1}}, "g": {"h": 1}}"#);
        let merge = |input: &str| merged(&common, &json(input));
        let expected = r#"{"a": 1, "b": {"c": 3, "d": [], "e": {"f": 1, "x": 1}}, "g": 5, "z": null}"#;
        assert_eq!(merge(r#"{"b": {"c": 3, "d": [], "e": {"x": 1}}, "g": 5, "z": null}"#), json(expected));
        assert_eq!(merge("{}"), common);
        assert_eq!(merge("[1]"), json("[1]"));
        assert_eq!(merged(&json("{}"), &json(r#"{"a": 1}"#)), json(r#"{"a": 1}"#));
    }
}
