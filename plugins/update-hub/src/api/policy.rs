//! `GET /policy` and `POST /webhook`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use url::form_urlencoded;

use super::Answered;
use crate::policy::{Asked, Policy};
use crate::refusal::Refusal;
use crate::refusal::json_answer;
use crate::state::HubState;

pub(super) async fn bundle(
    State(hub): State<Arc<HubState>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Answered {
    hub.identify(&headers)?;
    let mut asked = Asked::default();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*name {
            "path" => asked.paths.push(value.into_owned()),
            "base_hash" => asked.base_hash = Some(value.into_owned()),
            _ => {}
        }
    }
    let bundle = policy(&hub)?.answer(&asked).await?;
    let json = (header::CONTENT_TYPE, "application/json");
    Ok::<Response, _>((StatusCode::OK, [json], bundle).into_response())
}

pub(super) async fn webhook(State(hub): State<Arc<HubState>>, headers: HeaderMap, body: Bytes) -> Answered {
    let policy = policy(&hub)?;
    if policy.is_bundle() {
        // There is no host of repositories that could know a secret.
        hub.identify(&headers)?;
        policy.look();
        return Ok(json_answer(StatusCode::OK, &json!({"status": "ok", "event": "webhook_trigger", "repo_url": null})));
    }
    policy.called(&headers, &body).map(|answer| json_answer(StatusCode::OK, &answer))
}

fn policy(hub: &HubState) -> Result<&Policy, Refusal> {
    hub.policy.as_ref().ok_or_else(|| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "policy repo was not found"))
}
