//! JSON out whose fields keep the order in which they are written down, as clients and scripts know them from OPA.

use super::Value;
use super::encode::{new_line, write_json, write_json_string, write_pretty};

/// JSON in the making. Unlike the entries of a [`Value`], fields keep the order in which they were given.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// Any value.
    Value(Value),
    /// An object with its fields in this order.
    Object(Vec<(&'static str, Json)>),
    /// An object whose keys somebody else has chosen, in this order.
    Map(Vec<(String, Json)>),
    /// A list.
    Array(Vec<Json>),
}

impl<V: Into<Value>> From<V> for Json {
    fn from(value: V) -> Self {
        Self::Value(value.into())
    }
}

impl Json {
    /// The text with a newline at its end, indented by two spaces or compact.
    pub fn encode(&self, pretty: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        if pretty {
            self.write_pretty(&mut out, 0);
        } else {
            self.write(&mut out);
        }
        out.push(b'\n');
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Value(value) => write_json(out, value),
            Self::Object(fields) => write_fields(out, fields),
            Self::Map(fields) => write_fields(out, fields),
            Self::Array(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
        }
    }

    fn write_pretty(&self, out: &mut Vec<u8>, depth: usize) {
        match self {
            Self::Value(value) => write_pretty(out, value, depth),
            Self::Object(fields) => pretty_fields(out, fields, depth),
            Self::Map(fields) => pretty_fields(out, fields, depth),
            Self::Array(items) if items.is_empty() => out.extend_from_slice(b"[]"),
            Self::Array(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    new_line(out, index, depth + 1);
                    item.write_pretty(out, depth + 1);
                }
                new_line(out, 0, depth);
                out.push(b']');
            }
        }
    }
}

fn write_fields<K: AsRef<str>>(out: &mut Vec<u8>, fields: &[(K, Json)]) {
    out.push(b'{');
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_json_string(out, name.as_ref());
        out.push(b':');
        value.write(out);
    }
    out.push(b'}');
}

fn pretty_fields<K: AsRef<str>>(out: &mut Vec<u8>, fields: &[(K, Json)], depth: usize) {
    if fields.is_empty() {
        return out.extend_from_slice(b"{}");
    }
    out.push(b'{');
    for (index, (name, value)) in fields.iter().enumerate() {
        new_line(out, index, depth + 1);
        write_json_string(out, name.as_ref());
        out.extend_from_slice(b": ");
        value.write_pretty(out, depth + 1);
    }
    new_line(out, 0, depth);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_values_within_are_indented_with_them() {
        let inner = Value::object([("d", 1_i64), ("c", 2)]);
        let json =
            Json::Object(vec![("b", Json::from(inner)), ("a", Json::Array(vec![])), ("e", Json::Object(vec![]))]);
        assert_eq!(json.encode(false), b"{\"b\":{\"c\":2,\"d\":1},\"a\":[],\"e\":{}}\n");
        let pretty = "{\n  \"b\": {\n    \"c\": 2,\n    \"d\": 1\n  },\n  \"a\": [],\n  \"e\": {}\n}\n";
        assert_eq!(json.encode(true), pretty.as_bytes());
    }

    #[test]
    fn keys_that_others_have_chosen_are_escaped() {
        let json = Json::Map(vec![("z\"".to_owned(), 1_i64.into()), ("a".to_owned(), Json::Map(Vec::new()))]);
        assert_eq!(json.encode(false), b"{\"z\\\"\":1,\"a\":{}}\n");
        assert_eq!(json.encode(true), b"{\n  \"z\\\"\": 1,\n  \"a\": {}\n}\n");
    }

    #[test]
    fn empty_ones_stay_together_at_any_depth() {
        let inner = Value::object([("b", Value::array([1_i64])), ("a", Value::empty_object())]);
        let json = Json::Object(vec![("z", Json::Array(vec![Json::Object(Vec::new())])), ("c", inner.into())]);
        let text = |pretty| String::from_utf8(json.encode(pretty)).expect("UTF-8");
        assert_eq!(text(false), "{\"z\":[{}],\"c\":{\"a\":{},\"b\":[1]}}\n");
        let pretty = "{\n  \"z\": [\n    {}\n  ],\n  \"c\": {\n    \"a\": {},\n    \"b\": [\n      1\n    ]\n  }\n}\n";
        assert_eq!(text(true), pretty);
    }
}
