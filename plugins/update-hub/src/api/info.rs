//! What operators and load balancers ask.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value as Json, json};

use super::Answered;
use crate::refusal::Refusal;
use crate::refusal::json_answer;
use crate::state::HubState;

pub(super) async fn health(State(hub): State<Arc<HubState>>) -> Response {
    if hub.backbone.is_up() {
        json_answer(StatusCode::OK, &json!({"status": "ok"}))
    } else {
        json_answer(StatusCode::SERVICE_UNAVAILABLE, &json!({"status": "error", "broadcaster": "unhealthy"}))
    }
}

/// The data that opal-server tells agents to load if nobody says otherwise.
pub(super) async fn nothing() -> Response {
    json_answer(StatusCode::OK, &json!({}))
}

pub(super) async fn metrics(State(hub): State<Arc<HubState>>) -> Response {
    hub.telemetry.upkeep();
    hub.telemetry.render().into_response()
}

pub(super) async fn connections(State(hub): State<Arc<HubState>>, headers: HeaderMap) -> Answered {
    hub.identify(&headers)?;
    Ok(json_answer(StatusCode::OK, &hub.directory.connections()))
}

pub(super) async fn statistics(State(hub): State<Arc<HubState>>, headers: HeaderMap) -> Answered {
    let mut statistics = common(&hub, &headers)?;
    statistics["clients"] = json!(hub.directory.clients());
    statistics["servers"] = json!([hub.worker]);
    Ok(json_answer(StatusCode::OK, &statistics))
}

pub(super) async fn counts(State(hub): State<Arc<HubState>>, headers: HeaderMap) -> Answered {
    let mut counts = common(&hub, &headers)?;
    counts["client_count"] = json!(hub.directory.clients().len());
    counts["server_count"] = json!(1);
    Ok(json_answer(StatusCode::OK, &counts))
}

/// What both kinds of statistics begin with, if there are any.
fn common(hub: &HubState, headers: &HeaderMap) -> Result<Json, Refusal> {
    hub.identify(headers)?;
    if !hub.config.statistics {
        return Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, "there are no statistics: set `hub.statistics`"));
    }
    let started = hub.started.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    Ok(json!({"uptime": started, "version": env!("CARGO_PKG_VERSION")}))
}

pub(super) async fn load_limit(State(hub): State<Arc<HubState>>, headers: HeaderMap) -> Answered {
    hub.identify(&headers)?;
    match hub.load.admits() {
        Ok(()) => Ok(json_answer(StatusCode::OK, &Json::Null)),
        Err(limit) => Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, &limit.to_string())),
    }
}
