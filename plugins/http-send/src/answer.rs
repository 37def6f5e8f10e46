//! From a response to what the function gives.

use http::{HeaderMap, header};
use regent_core::value::{Value, decode_prefix};
use regent_core::yaml;

use crate::exchange::Response;
use crate::options::Options;

/// `{"status", "status_code", "headers", "raw_body", "body"}`. The body is null unless it is JSON or YAML, and says so or
/// the policy does.
pub(crate) fn value(response: &Response, options: &Options) -> Value {
    let text = String::from_utf8_lossy(&response.body);
    let body = if options.json || is_json(&response.headers) {
        // As in OPA, what follows the first value does not matter.
        decode_prefix(&response.body).map(|(value, _)| value).unwrap_or_default()
    } else if options.yaml || is_yaml(&response.headers) {
        yaml::parse(&text).map(|(value, _)| value).unwrap_or_default()
    } else {
        Value::NULL
    };
    Value::object([
        ("status", Value::from(&response.status_line)),
        ("status_code", u32::from(response.status.as_u16()).into()),
        ("headers", shown(&response.headers)),
        ("raw_body", (&*text).into()),
        ("body", body),
    ])
}

fn shown(headers: &HeaderMap) -> Value {
    let lists = headers.keys().map(|name| {
        let values = headers.get_all(name).iter().map(|value| Value::from(&*String::from_utf8_lossy(value.as_bytes())));
        (name.as_str(), Value::array(values))
    });
    Value::object(lists)
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// `application/json` or `application/…+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = content_type(headers).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.strip_prefix("application/").is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

fn is_yaml(headers: &HeaderMap) -> bool {
    ["application/yaml", "application/x-yaml"].iter().any(|kind| content_type(headers).contains(kind))
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, StatusCode};
    use regent_core::value::encode;

    use super::*;

    fn body(content_type: &'static str, body: &'static str, json: bool, yaml: bool) -> String {
        let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))].into_iter().collect();
        let response = Response { headers, body: body.into(), ..Response::default() };
        let options = Options { cached: false, forced: None, mode: None, json, yaml };
        encode(value(&response, &options).get("body").expect("a body"))
    }

    #[test]
    fn bodies_are_read_by_their_type_or_as_the_policy_says() {
        assert_eq!(body("application/json; charset=utf-8", r#"{"a":1.0}"#, false, false), r#"{"a":1.0}"#);
        assert_eq!(body("Application/Problem+JSON", "[1]", false, false), "[1]");
        assert_eq!(body("text/plain", "[1]", false, false), "null");
        assert_eq!(body("text/plain", "[1] and more", true, true), "[1]");
        assert_eq!(body("application/json", "nope", false, false), "null");
        assert_eq!(body("application/x-yaml", "a: yes", false, false), r#"{"a":true}"#);
        assert_eq!(body("text/plain", "a: [1]", false, true), r#"{"a":[1]}"#);
        assert_eq!(body("application/yaml", "a: [", false, false), "null");
    }

    #[test]
    fn headers_are_lists_under_lower_case_names() {
        let mut headers = HeaderMap::new();
        headers.append("X-Two", HeaderValue::from_static("1"));
        headers.append("x-two", HeaderValue::from_static("2"));
        let response =
            Response { headers, status: StatusCode::CREATED, status_line: "201 Created".into(), ..Response::default() };
        let options = Options { cached: false, forced: None, mode: None, json: false, yaml: false };
        let expected =
            r#"{"body":null,"headers":{"x-two":["1","2"]},"raw_body":"","status":"201 Created","status_code":201}"#;
        assert_eq!(encode(&value(&response, &options)), expected);
    }
}
