//! Why there is no response, in OPA's words.

use regent_core::builtin::BuiltinError;
use regent_core::engine::Location;
use regent_core::value::Value;

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The request object is not one.
    Operand(String),
    /// Something in it cannot be used.
    Request(String),
    /// As [`Failure::Request`], but OPA shows the text alone.
    Plain(String),
    /// The other side cannot be reached, or does not answer in time.
    Network {
        /// What happened.
        text: String,
        /// What an error says instead, if time ran out.
        in_short: Option<String>,
    },
    /// The response came, but not in full. The next call asks again.
    Body(String),
    /// Nobody waits any more.
    Cancelled,
}

impl Failure {
    /// Whether a call with the same request within the same query fails with the same words.
    pub(crate) fn is_kept(&self) -> bool {
        !matches!(self, Self::Body(_) | Self::Cancelled)
    }

    /// The failure as an error of the function.
    pub(crate) fn raised(self) -> BuiltinError {
        match self {
            Self::Operand(text) => BuiltinError::Operand(text),
            Self::Request(text) | Self::Plain(text) | Self::Body(text) => BuiltinError::Failed(text),
            Self::Network { text, in_short } => BuiltinError::Failed(in_short.unwrap_or(text)),
            Self::Cancelled => BuiltinError::Cancelled,
        }
    }

    /// The failure as a result of the function: `{"status_code": 0, "error": {"code", "message"}}`.
    pub(crate) fn shown(&self, location: impl FnOnce() -> Location) -> Value {
        let raised = |code: &str, text: &str| format!("{}: {code}: http.send: {text}", location());
        let (code, message) = match self {
            Self::Network { text, .. } => ("eval_http_send_network_error", text.clone()),
            Self::Plain(text) => ("eval_http_send_internal_error", text.clone()),
            Self::Operand(text) => ("eval_http_send_internal_error", raised("eval_type_error", text)),
            Self::Request(text) | Self::Body(text) => {
                ("eval_http_send_internal_error", raised("eval_builtin_error", text))
            }
            Self::Cancelled => ("eval_http_send_internal_error", "context canceled".to_owned()),
        };
        let error = Value::object([("code", Value::from(code)), ("message", message.into())]);
        Value::object([("status_code", Value::from(0)), ("error", error)])
    }
}
