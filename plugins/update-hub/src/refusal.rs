//! Answers of JSON, and refusals in the form that OPAL's have.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use serde_path_to_error::Segment;

use crate::access::TokenRefused;

/// A refusal.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    body: Json,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

impl Refusal {
    /// One with a text.
    pub(crate) fn new(status: StatusCode, text: &str) -> Self {
        Self { status, body: json!({"detail": text}), headers: Vec::new() }
    }

    /// Nobody, or somebody else, asks.
    pub(crate) fn unauthorized(error: &str) -> Self {
        let challenge = (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        Self { status: StatusCode::UNAUTHORIZED, body: json!({"detail": {"error": error}}), headers: vec![challenge] }
    }

    /// For a while.
    pub(crate) fn unavailable(text: &str) -> Self {
        let later = (header::RETRY_AFTER, HeaderValue::from_static("1"));
        Self { headers: vec![later], ..Self::new(StatusCode::SERVICE_UNAVAILABLE, text) }
    }

    /// The body is not what it should be: at that place, with that text.
    pub(crate) fn invalid(place: &[Json], text: &str, kind: &str) -> Self {
        let mut whole = vec![json!("body")];
        whole.extend_from_slice(place);
        let detail = json!([{"loc": whole, "msg": text, "type": kind}]);
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, body: json!({"detail": detail}), headers: Vec::new() }
    }
}

impl From<TokenRefused> for Refusal {
    fn from(refused: TokenRefused) -> Self {
        Self::unauthorized(&refused.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = json_answer(self.status, &self.body);
        response.headers_mut().extend(self.headers);
        response
    }
}

/// Reads a body.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let document: &serde_json::value::RawValue = serde_json::from_slice(body).map_err(|error| {
        let detail = json!([{
            "type": "json_invalid",
            "loc": ["body", error.column()],
            "msg": "JSON decode error",
            "input": {},
            "ctx": {"error": error.to_string()},
        }]);
        Refusal { status: StatusCode::UNPROCESSABLE_ENTITY, body: json!({"detail": detail}), headers: Vec::new() }
    })?;
    if !document.get().starts_with('{') {
        return Err(Refusal::invalid(&[], "value is not a valid dict", "type_error.dict"));
    }
    let mut reader = serde_json::Deserializer::from_str(document.get());
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let mut place: Vec<Json> = error.path().iter().filter_map(segment).collect();
        let text = error.inner().to_string();
        // The place is told in words of its own.
        let text = text.split(" at line ").next().unwrap_or_default();
        if let Some(field) = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            place.push(json!(field));
            return Refusal::invalid(&place, "field required", "value_error.missing");
        }
        // Checks of more than one field say which one is meant.
        let (field, text) = text.split_once(": ").filter(|(field, _)| FIELDS.contains(field)).unwrap_or(("", text));
        if !field.is_empty() {
            place.push(json!(field));
        }
        Refusal::invalid(&place, text, "value_error")
    })
}

/// Fields that texts of errors begin with.
const FIELDS: [&str; 3] = ["config", "data", "save_method"];

fn segment(segment: &Segment) -> Option<Json> {
    match segment {
        Segment::Seq { index } => Some(json!(index)),
        Segment::Map { key } => Some(json!(key)),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

/// An answer of JSON.
pub(crate) fn json_answer(status: StatusCode, body: &Json) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use regent_data_updates::model::DataUpdate;

    fn refused(body: &str) -> String {
        read::<DataUpdate>(body.as_bytes()).expect_err(body).body["detail"][0].to_string()
    }

    #[test]
    fn places_are_told() {
        for (body, place, text) in [
            ("{}", r#"["body","entries"]"#, "field required"),
            (r#"{"entries": [{}]}"#, r#"["body","entries",0,"url"]"#, "field required"),
            (
                r#"{"entries": [{"url": "", "data": 5}]}"#,
                r#"["body","entries",0,"data"]"#,
                "must be an object or an array",
            ),
            (r#"{"entries": [{"url": "", "topics": "x"}]}"#, r#"["body","entries",0,"topics"]"#, "invalid type"),
            ("[]", r#"["body"]"#, "value is not a valid dict"),
            ("{x}", r#"["body",2]"#, "JSON decode error"),
        ] {
            let found = refused(body);
            assert!(found.contains(place) && found.contains(text), "{body}: {found}");
        }
    }
}
