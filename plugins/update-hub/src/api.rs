//! The endpoints, one file for each group.

mod base;
mod data;
mod info;
mod policy;
mod report;
mod token;
mod websocket;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};

use crate::peer::MAX_MESSAGE;
use crate::refusal::Refusal;
use crate::state::HubState;

/// How requests are answered whose answer is JSON.
type Answered = Result<Response, Refusal>;

/// How long a request may take, from its head to its answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// The endpoints of a hub.
pub(crate) fn router(hub: Arc<HubState>) -> Router {
    let jwks = hub.config.auth.as_ref().map_or("/.well-known/jwks.json", |auth| auth.jwks_path.as_str()).to_owned();
    Router::new()
        .route("/", get(info::health))
        .route("/healthcheck", get(info::health))
        .route("/policy-data", get(info::nothing))
        .route("/metrics", get(info::metrics))
        .route("/statistics", get(info::statistics))
        .route("/stats", get(info::counts))
        .route("/pubsub_client_info", get(info::connections))
        .route("/loadlimit", get(info::load_limit))
        .route(&jwks, get(token::jwks))
        .route("/token", post(token::issue))
        .route("/data/config", get(base::sources).post(data::publish))
        .route("/data/callback_report", get(report::list).post(report::take))
        .route("/policy", get(policy::bundle))
        .route("/webhook", post(policy::webhook))
        .route("/ws", get(websocket::connect))
        .fallback(not_found)
        .method_not_allowed_fallback(|| async { Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed") })
        .layer(DefaultBodyLimit::max(MAX_MESSAGE))
        .layer(middleware::from_fn(in_time))
        .layer(middleware::from_fn(cross_origin))
        .with_state(hub)
}

/// Paths that are known without the slash at their end.
const REDIRECTED: [&str; 7] =
    ["/policy", "/webhook", "/token", "/data/config", "/data/callback_report", "/statistics", "/healthcheck"];

async fn not_found(request: Request) -> Response {
    let path = request.uri().path();
    match path.strip_suffix('/').filter(|path| REDIRECTED.contains(path)) {
        Some(known) => Redirect::temporary(known).into_response(),
        None => Refusal::new(StatusCode::NOT_FOUND, "Not Found").into_response(),
    }
}

/// Ends what takes too long, such as a body that does not come.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::new(StatusCode::REQUEST_TIMEOUT, "the request takes too long").into_response(),
    }
}

/// Lets pages of any origin ask, as OPAL does: who has a token may use it from anywhere.
async fn cross_origin(request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else {
        return match *request.method() {
            Method::OPTIONS => "OK".into_response(),
            _ => next.run(request).await,
        };
    };
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let mut response = match *request.method() {
        Method::OPTIONS => "OK".into_response(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, header::HeaderValue::from_static("Origin"));
    let methods = header::HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    if let Some(asked) = asked {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
    }
    response
}
