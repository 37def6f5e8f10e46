//! Small answers: the page at `/`, configuration, status, metrics.

use http::StatusCode;

use crate::answer::{self, Json, Response};
use crate::api::Parts;
use crate::call::Call;
use crate::error::ApiError;

/// A form for people who open the agent in a browser.
pub(crate) fn index() -> Response {
    answer::typed(StatusCode::OK, "text/html; charset=utf-8", include_str!("pages/index.html"))
}

/// The active configuration without secrets.
pub(crate) fn config(api: &Parts, call: &Call) -> Response {
    answer::fields(vec![("result", Json::from(api.host.settings().shown.clone()))], call.is_pretty())
}

/// The last status report.
pub(crate) fn status(api: &Parts, call: &Call) -> Result<Response, ApiError> {
    let report = api.host.status.published().ok_or_else(|| ApiError::internal("status plugin not enabled"))?;
    Ok(answer::fields(vec![("result", Json::from(report))], call.is_pretty()))
}

/// The agent's measurements for Prometheus.
pub(crate) fn metrics(api: &Parts) -> Response {
    answer::typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", api.host.telemetry.render())
}
