//! What a request carries.

use bytes::Bytes;
use serde_json::Value;

/// A request's body and the `Content-Type` that goes with it.
///
/// Made from JSON (`application/json`), from text or bytes (no type, so the receiver decides), or from `()`.
#[derive(Debug, Clone, Default)]
pub struct Payload {
    /// Sent as it is.
    pub body: Bytes,
    /// Left out of the request if `None`.
    pub content_type: Option<&'static str>,
}

impl From<Value> for Payload {
    fn from(json: Value) -> Self {
        Self::from(&json)
    }
}

impl From<&Value> for Payload {
    fn from(json: &Value) -> Self {
        Self { body: json.to_string().into(), content_type: Some("application/json") }
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self { body: text.into(), content_type: None }
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self { body: bytes.into(), content_type: None }
    }
}

impl From<Bytes> for Payload {
    fn from(body: Bytes) -> Self {
        Self { body, content_type: None }
    }
}

impl From<()> for Payload {
    fn from((): ()) -> Self {
        Self::default()
    }
}
