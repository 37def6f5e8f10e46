//! Small answers: the page at `/`, configuration, status, metrics, memory.

use http::StatusCode;

use crate::answer::{self, Json, Response};
use crate::call::Call;
use crate::context::ApiContext;
use crate::error::ApiError;

/// A form for people who open the agent in a browser.
pub(crate) fn index() -> Response {
    answer::typed(StatusCode::OK, "text/html; charset=utf-8", include_str!("pages/index.html"))
}

/// The active configuration without secrets.
pub(crate) fn config(api: &ApiContext, call: &Call) -> Response {
    answer::fields(vec![("result", Json::from(api.host.settings().shown.clone()))], call.is_pretty())
}

/// The last status report.
pub(crate) fn status(api: &ApiContext, call: &Call) -> Result<Response, ApiError> {
    let report = api.host.status.published().ok_or_else(|| ApiError::internal("status plugin not enabled"))?;
    Ok(answer::fields(vec![("result", Json::from(report))], call.is_pretty()))
}

/// The agent's measurements for Prometheus.
pub(crate) fn metrics(api: &ApiContext) -> Response {
    answer::typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", api.host.telemetry.render())
}

/// How many bytes of memory the agent holds; with `?pretty=true` rounded, with a unit.
pub(crate) fn memory(call: &Call) -> Response {
    let Some(bytes) = resident() else { return answer::text(StatusCode::NOT_FOUND, "404 page not found\n") };
    let pretty = call.params().all("pretty").next().is_some_and(|value| value == "true");
    let shown = if pretty { with_unit(bytes) } else { bytes.to_string() };
    answer::typed(StatusCode::OK, "text/plain; charset=utf-8", format!("{shown}\n"))
}

/// What the system says; only Linux says it in a file.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"))?;
    Some(kilobytes.trim().parse::<u64>().ok()? * 1024)
}

fn with_unit(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is rounded anyway")]
    let mut amount = bytes as f64;
    for unit in ["", "K", "M", "G", "T"] {
        if amount < 1000.0 {
            return format!("{amount:.1}{unit}B");
        }
        amount /= 1000.0;
    }
    format!("{amount:.1}PB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_unit_that_keeps_them_short() {
        assert_eq!(with_unit(999), "999.0B");
        assert_eq!(with_unit(1_500_000), "1.5MB");
        assert_eq!(with_unit(u64::MAX), "18446.7PB");
    }
}
