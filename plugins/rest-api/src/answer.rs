//! JSON answers with their fields in OPA's order.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response as HttpResponse, StatusCode};
use http_body_util::Full;
use regent_core::Value;
use regent_core::value::{encode_pretty, write_json, write_json_string};

/// An answer whose body is complete.
pub(crate) type Response = HttpResponse<Full<Bytes>>;

/// JSON in the making. Unlike the entries of a [`Value`], fields keep the order in which they were given.
pub(crate) enum Json {
    Value(Value),
    Object(Vec<(&'static str, Json)>),
    Array(Vec<Json>),
}

impl<V: Into<Value>> From<V> for Json {
    fn from(value: V) -> Self {
        Self::Value(value.into())
    }
}

impl Json {
    /// The text with its final newline, indented by two spaces or compact.
    pub(crate) fn encode(&self, pretty: bool) -> Vec<u8> {
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
            Self::Object(fields) => {
                out.push(b'{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    write_json_string(out, name);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
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
            Self::Value(value) => {
                // The only raw newlines in JSON text are those between tokens.
                let indented = format!("\n{:width$}", "", width = 2 * depth);
                out.extend_from_slice(encode_pretty(value).replace('\n', &indented).as_bytes());
            }
            Self::Object(fields) if fields.is_empty() => out.extend_from_slice(b"{}"),
            Self::Object(fields) => {
                out.push(b'{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    new_line(out, index, depth + 1);
                    write_json_string(out, name);
                    out.extend_from_slice(b": ");
                    value.write_pretty(out, depth + 1);
                }
                new_line(out, 0, depth);
                out.push(b'}');
            }
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

fn new_line(out: &mut Vec<u8>, index: usize, depth: usize) {
    if index > 0 {
        out.push(b',');
    }
    out.push(b'\n');
    out.resize(out.len() + 2 * depth, b' ');
}

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, body: &Json, pretty: bool) -> Response {
    typed(status, "application/json", body.encode(pretty))
}

/// A successful answer of the given fields.
pub(crate) fn fields(fields: Vec<(&'static str, Json)>, pretty: bool) -> Response {
    json(StatusCode::OK, &Json::Object(fields), pretty)
}

/// An answer of plain text.
pub(crate) fn text(status: StatusCode, text: &'static str) -> Response {
    typed(status, "text/plain; charset=utf-8", text)
}

/// An answer of the given media type.
pub(crate) fn typed(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = HttpResponse::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = HttpResponse::new(Full::default());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_values_are_indented_in_place() {
        let inner = Value::object([("b", Value::array([1_i64])), ("a", Value::empty_object())]);
        let json = Json::Object(vec![("z", Json::Array(vec![Json::Object(Vec::new())])), ("c", inner.into())]);
        let text = |pretty| String::from_utf8(json.encode(pretty)).expect("UTF-8");
        assert_eq!(text(false), "{\"z\":[{}],\"c\":{\"a\":{},\"b\":[1]}}\n");
        let pretty = "{\n  \"z\": [\n    {}\n  ],\n  \"c\": {\n    \"a\": {},\n    \"b\": [\n      1\n    ]\n  }\n}\n";
        assert_eq!(text(true), pretty);
    }
}
