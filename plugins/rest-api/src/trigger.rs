//! Having a bundle, or the configuration that is discovered, fetched now.

use http::StatusCode;
use percent_encoding::percent_decode_str;
use regent_core::trigger::{Failure, Fault, Fetched, Subject, TriggerError};

use crate::answer::{self, Json, Response};
use crate::call::Call;
use crate::context::ApiContext;
use crate::error::ApiError;
use crate::route::TRIGGER;

/// Has the bundle fetched whose name is in the path, and says what became of it.
///
/// # Errors
/// When there is no such bundle, or the fetch has not come to an end.
pub(crate) async fn bundle(api: &ApiContext, call: &Call) -> Result<Response, ApiError> {
    let escaped = call.below().strip_suffix(TRIGGER).unwrap_or_default();
    let name = percent_decode_str(escaped.trim_start_matches('/')).decode_utf8();
    let name = name.map_err(|_| ApiError::invalid_parameter("the bundle's name is not valid UTF-8"))?;
    fetch(api, call, Subject::Bundle(name.into_owned())).await
}

/// Has the configuration fetched, and says what became of it.
///
/// # Errors
/// When none is discovered, or the fetch has not come to an end.
pub(crate) async fn discovery(api: &ApiContext, call: &Call) -> Result<Response, ApiError> {
    fetch(api, call, Subject::Discovery).await
}

async fn fetch(api: &ApiContext, call: &Call, subject: Subject) -> Result<Response, ApiError> {
    match api.host.trigger(&subject).await {
        Ok(fetched) => Ok(answer::fields(vec![("result", result(fetched))], call.is_pretty())),
        Err(TriggerError::Failed(failure)) => Ok(failed(failure)),
        Err(unknown @ TriggerError::Unknown(_)) => Err(ApiError::not_found(unknown.to_string())),
        Err(slow @ TriggerError::Slow(..)) => Err(ApiError::gateway_timeout(slow.to_string())),
        Err(other) => Err(ApiError::unavailable(other.to_string())),
    }
}

fn result(fetched: Fetched) -> Json {
    let mut fields = vec![("outcome", Json::from(fetched.outcome.as_str()))];
    fields.extend(fetched.revision.map(|revision| ("revision", Json::from(revision))));
    fields.extend(fetched.warning.map(|warning| ("warning", Json::from(warning))));
    Json::Object(fields)
}

/// The error as status has it. What the source did or gave is not the agent's fault.
fn failed(failure: Failure) -> Response {
    let status = match failure.fault {
        Fault::Unreachable | Fault::Content => StatusCode::BAD_GATEWAY,
        Fault::Agent => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut fields = vec![("code", Json::from(failure.code)), ("message", Json::from(failure.message))];
    fields.extend(failure.errors.map(|errors| ("errors", Json::from(errors))));
    fields.extend(failure.http_code.map(|code| ("http_code", Json::from(i64::from(code)))));
    answer::json(status, &Json::Object(fields), true)
}
