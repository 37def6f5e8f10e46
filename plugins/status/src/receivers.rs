//! Brings one report to everyone who is to have it.

use http::{HeaderValue, Method, header};
use regent_core::service::ServiceRequest;
use regent_core::value::encode;
use regent_core::{Host, Value};
use tracing::info;

use crate::config::Config;
use crate::error::ReportError;

/// What the console's lines are marked with.
const TYPE: &str = "openpolicyagent.org/status";

/// Shows, posts and hands on one report, to all receivers at the same time.
///
/// # Errors
/// Why it did not reach the service or the plugin, the service first. The console does not fail.
pub(crate) async fn deliver(host: Host, config: Config, body: Value) -> Result<(), ReportError> {
    let to_service = async {
        match &config.service {
            Some(service) => post(&host, service, config.path(), &body).await,
            None => Ok(()),
        }
    };
    let to_plugin = async {
        match &config.plugin {
            Some(plugin) => hand_on(&host, plugin, body.clone()).await,
            None => Ok(()),
        }
    };
    let to_console = async {
        if config.console {
            show(&body).await;
        }
    };
    let (posted, handed_on, ()) = tokio::join!(to_service, to_plugin, to_console);
    posted.and(handed_on)
}

async fn show(body: &Value) {
    let line = body.with(&["type"], TYPE.into());
    // Standard error may be a pipe that nobody empties, and then writing waits.
    let _ = tokio::task::spawn_blocking(move || info!(json = %encode(&line), "Status Log")).await;
}

async fn post(host: &Host, service: &str, path: String, body: &Value) -> Result<(), ReportError> {
    let unreachable = |error: regent_core::Error| ReportError::Unreachable(error.chain());
    let mut request = ServiceRequest::new(Method::POST, path);
    request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.body = encode(body).into();
    let response = host.services.get(service).map_err(unreachable)?.send(request).await.map_err(unreachable)?;
    let status = response.status;
    response.discard().await;
    if status.is_success() { Ok(()) } else { Err(ReportError::Refused(status)) }
}

async fn hand_on(host: &Host, plugin: &str, body: Value) -> Result<(), ReportError> {
    let missing = || ReportError::Unreachable(format!("plugin {plugin:?} takes no status reports"));
    let sink = host.status_sink(plugin).ok_or_else(missing)?;
    sink.write(body).await.map_err(|error| ReportError::Unreachable(error.chain()))
}
