//! Errors as clients see them: `{code, message, errors?}`, always indented.

use http::StatusCode;
use regent_core::Value;
use regent_core::engine::{ErrorCode, PolicyError, PolicyErrors, QueryError};
use regent_core::store::{Snapshot, StoreError};
use regent_core::value::{Number, Path};

use crate::answer::{self, Json, Response};
use crate::reference::{self, PathError};

const COMPILING_MODULES: &str = "error(s) occurred while compiling module(s)";
const PARSING_QUERY: &str = "error(s) occurred while parsing query";
const COMPILING_QUERY: &str = "error(s) occurred while compiling query";
const EVALUATING_QUERY: &str = "error(s) occurred while evaluating query";

/// A request that gets no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    errors: Vec<PolicyError>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), errors: Vec::new() }
    }

    fn with(self, errors: PolicyErrors) -> Self {
        Self { errors: errors.0, ..self }
    }

    /// 500: the fault is not the client's.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
    }

    /// 400: a parameter or the body is wrong.
    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", message)
    }

    /// 408: the body did not come in time.
    pub(crate) fn slow_body() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "invalid_parameter", "request body did not arrive in time")
    }

    /// The same error with what was going on before its message.
    pub(crate) fn within(self, what: &str) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }

    /// 400: what is asked for cannot be done.
    pub(crate) fn invalid_operation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_operation", message)
    }

    /// 401: a policy forbids it.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// 404: nothing decides what was asked. OPA tells documents that no rule makes from those whose rules do not hold.
    pub(crate) fn undefined(snapshot: &Snapshot, path: &Path) -> Self {
        let made = snapshot.documents().iter().any(|document| path.is_within(&document.path));
        let how = if made { "document undefined" } else { "document missing" };
        Self::new(StatusCode::NOT_FOUND, "undefined_document", format!("{how}: {}", reference::shown(path)))
    }

    /// 404: there is no such thing.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "resource_not_found", message)
    }

    /// 503: asking again helps.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "internal_error", message)
    }

    /// 504: someone else takes too long.
    pub(crate) fn gateway_timeout(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "internal_error", message)
    }

    /// A refused write to data.
    pub(crate) fn of_data(error: &StoreError) -> Self {
        let (status, code) = match error {
            StoreError::NotFound { .. } | StoreError::PolicyNotFound(_) => {
                (StatusCode::NOT_FOUND, "resource_not_found")
            }
            StoreError::WriteConflict(_) => (StatusCode::NOT_FOUND, "resource_conflict"),
            StoreError::InvalidPatch(_)
            | StoreError::BadOperation(_)
            | StoreError::Owned(_)
            | StoreError::RuleConflict(_) => (StatusCode::BAD_REQUEST, "invalid_parameter"),
            StoreError::Unsupported(_) => (StatusCode::BAD_REQUEST, "invalid_operation"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        };
        Self::new(status, code, error.to_string())
    }

    /// A module that is refused.
    pub(crate) fn of_put_policy(error: StoreError) -> Self {
        Self::of_policy(error, Self::invalid_parameter)
    }

    /// A module that is still needed.
    pub(crate) fn of_delete_policy(error: StoreError) -> Self {
        Self::of_policy(error, Self::invalid_operation)
    }

    fn of_policy(error: StoreError, refuse: fn(&'static str) -> Self) -> Self {
        match error {
            // OPA does not count a text without statements among the parse errors of a module.
            StoreError::Policy(errors) if is_empty_module(&errors) => Self::invalid_parameter(errors.0[0].to_string()),
            StoreError::Policy(errors) | StoreError::RuleConflict(errors) => refuse(COMPILING_MODULES).with(errors),
            other => Self::of_data(&other),
        }
    }

    /// A document that cannot be made: the path is the client's, but OPA blames itself.
    pub(crate) fn of_document(error: QueryError) -> Self {
        match error {
            QueryError::Evaluation(errors) => Self::internal(EVALUATING_QUERY).with(errors),
            QueryError::Unsupported(what) => Self::invalid_operation(what.to_string()),
            other => Self::internal(other.to_string()),
        }
    }

    /// A query that cannot be answered.
    pub(crate) fn of_query(error: QueryError) -> Self {
        match error {
            QueryError::Parse(errors) => Self::invalid_parameter(PARSING_QUERY).with(errors),
            QueryError::Compile(errors) => Self::invalid_parameter(COMPILING_QUERY).with(errors),
            other => Self::of_document(other),
        }
    }

    /// Why one decision of a batch was not made, in the words of Enterprise OPA: the message is the evaluation's own.
    pub(crate) fn of_item(error: QueryError) -> Self {
        match error {
            QueryError::Evaluation(errors) => {
                let message = match &errors.0[..] {
                    [one] => one.to_string(),
                    _ => errors.to_string(),
                };
                Self::internal(message).with(errors)
            }
            other => Self::internal(other.to_string()),
        }
    }

    /// The error as records show it.
    pub(crate) fn to_value(&self) -> Value {
        Value::object([("code", self.code), ("message", &*self.message)])
    }

    /// `code`, `message`, and `errors` if there are any.
    pub(crate) fn into_fields(self) -> Vec<(&'static str, Json)> {
        let mut fields = vec![("code", Json::from(self.code)), ("message", Json::from(self.message))];
        if !self.errors.is_empty() {
            fields.push(("errors", Json::Array(self.errors.into_iter().map(policy_error).collect())));
        }
        fields
    }

    /// The answer that says so.
    pub(crate) fn into_response(self) -> Response {
        answer::json(self.status, &Json::Object(self.into_fields()), true)
    }
}

fn is_empty_module(errors: &PolicyErrors) -> bool {
    matches!(&errors.0[..], [one] if one.code == ErrorCode::Parse && one.message == "empty module")
}

fn policy_error(error: PolicyError) -> Json {
    let number = |number: usize| Json::from(Number::from(u64::try_from(number).unwrap_or(u64::MAX)));
    let mut fields = vec![("code", Json::from(error.code.as_str())), ("message", Json::from(error.message))];
    if let Some(at) = error.location {
        let place = vec![("file", Json::from(at.file)), ("row", number(at.row)), ("col", number(at.col))];
        fields.push(("location", Json::Object(place)));
    }
    fields.extend(error.details.map(|details| ("details", details.into())));
    Json::Object(fields)
}
impl From<PathError> for ApiError {
    fn from(error: PathError) -> Self {
        match error {
            PathError::Depth => Self::invalid_parameter(error.to_string()),
            PathError::Term(_) | PathError::Text => Self::internal(format!("invalid_parameter: {error}")),
        }
    }
}
