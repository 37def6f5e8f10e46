//! `/data/callback_report`: what agents report, and who asks for it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use regent_data_updates::rpc::raw;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::Answered;
use crate::listen::Remote;
use crate::refusal;
use crate::refusal::Refusal;
use crate::refusal::json_answer;
use crate::reports::Report;
use crate::state::HubState;

/// Most bytes of a report that is kept; of a larger one it is only known that it came.
const LARGEST: usize = 256 << 10;

#[derive(Deserialize)]
struct Reported {
    #[serde(default)]
    update_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    update_id: String,
}

/// `POST /data/callback_report`
pub(super) async fn take(
    State(hub): State<Arc<HubState>>,
    Extension(Remote(from)): Extension<Remote>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    hub.identify(&headers)?;
    let Reported { update_id } = refusal::read(&body)?;
    let content = std::str::from_utf8(&body).ok().filter(|text| text.len() <= LARGEST);
    let content = content.and_then(|text| serde_json::from_str::<Box<RawValue>>(text).ok()).unwrap_or_default();
    hub.reports.add(Report { from: from.to_string(), received: Timestamp::now(), update_id, content });
    Ok(json_answer(StatusCode::OK, &json!({})))
}

/// `GET /data/callback_report?update_id=…`: who has applied an update, as far as this hub was told.
pub(super) async fn list(
    State(hub): State<Arc<HubState>>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Answered {
    hub.identify(&headers)?;
    let Ok(Query(Asked { update_id })) = asked else {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "the parameter `update_id` is missing"));
    };
    let json = (header::CONTENT_TYPE, "application/json");
    Ok::<Response, _>((StatusCode::OK, [json], raw(&hub.reports.of(&update_id)).get().to_owned()).into_response())
}
