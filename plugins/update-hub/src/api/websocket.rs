//! `GET /ws`

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use url::form_urlencoded;

use crate::directory::Caller;
use crate::listen::Remote;
use crate::peer::{self, MAX_MESSAGE};
use crate::refusal::Refusal;
use crate::state::HubState;

/// Bytes that a peer has for what comes and goes; there are thousands of them, and most of what they say is small.
const BUFFER: usize = 4 << 10;

/// Refusals have no body, as OPAL's.
pub(super) async fn connect(
    State(hub): State<Arc<HubState>>,
    Extension(Remote(address)): Extension<Remote>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else { return Refusal::new(StatusCode::NOT_FOUND, "Not Found").into_response() };
    let Ok(identity) = hub.identify(&headers) else {
        hub.stats.handshake_refused();
        hub.refusals.pause(address.ip()).await;
        return StatusCode::FORBIDDEN.into_response();
    };
    if hub.directory.len() >= hub.config.max_peers() {
        return Refusal::unavailable("there are as many peers as may be (`hub.max_peers`)").into_response();
    }
    let query = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let caller = Caller { address, identity, query };
    upgrade
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(|socket| peer::serve(socket, caller, hub))
}
