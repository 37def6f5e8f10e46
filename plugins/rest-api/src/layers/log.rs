//! The two log lines of every request.

use std::collections::BTreeMap;
use std::time::Instant;

use http_body::Body as _;
use http_body_util::BodyExt as _;
use regent_core::Value;
use tracing::{Level, enabled, info};

use super::{Around, pass};
use crate::answer::Response;
use crate::body::Limits;
use crate::call::{Answers, Call};
use crate::params::Params;

/// Logs requests and answers; at debug level with what they hold.
pub(crate) struct Log {
    pub(crate) limits: Limits,
}

impl Around for Log {
    async fn answer<S: Answers + Send>(&self, call: Call, next: S) -> Response {
        if enabled!(Level::DEBUG) {
            self.in_full(call, next).await
        } else if enabled!(Level::INFO) {
            in_brief(call, next).await
        } else {
            pass(call, next).await
        }
    }
}

async fn in_brief<S: Answers + Send>(call: Call, next: S) -> Response {
    let (started, id, client) = (Instant::now(), call.id, call.client.clone());
    let (method, uri) = (call.head.method.clone(), call.head.uri.clone());
    let path = uri.path();
    info!(client_addr = %client, req_id = id, req_method = %method, req_path = path, "Received request.");
    let response = pass(call, next).await;
    info!(
        client_addr = %client,
        req_id = id,
        req_method = %method,
        req_path = path,
        resp_status = response.status().as_u16(),
        resp_bytes = length(&response),
        resp_duration = milliseconds(started),
        "Sent response."
    );
    response
}

impl Log {
    async fn in_full<S: Answers + Send>(&self, mut call: Call, next: S) -> Response {
        let (started, id, client) = (Instant::now(), call.id, call.client.clone());
        let (method, uri) = (call.head.method.clone(), call.head.uri.clone());
        let path = uri.path();
        // A body that cannot be read is for the route to complain about.
        let _ = call.sent_body(self.limits).await;
        let body = call.unpacked_body(self.limits).await.unwrap_or_default();
        let body = String::from_utf8_lossy(&body);
        let params = shown(call.params());
        info!(client_addr = %client, req_id = id, req_method = %method, req_path = path, req_body = %body, json = %params, "Received request.");
        let response = pass(call, next).await;
        let Ok(sent) = response.body().clone().collect().await;
        let sent = sent.to_bytes();
        let packed = response.headers().contains_key(http::header::CONTENT_ENCODING);
        let body = if packed { "[compressed payload]".into() } else { String::from_utf8_lossy(&sent) };
        info!(
            client_addr = %client,
            req_id = id,
            req_method = %method,
            req_path = path,
            resp_status = response.status().as_u16(),
            resp_bytes = length(&response),
            resp_duration = milliseconds(started),
            resp_body = %body,
            "Sent response."
        );
        response
    }
}

/// The parameters in the form that the agent's log takes for structured fields.
fn shown(params: Params<'_>) -> Value {
    let mut values = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in params.pairs() {
        values.entry(name).or_default().push(Value::from(&*value));
    }
    let values = Value::object(values.into_iter().map(|(name, values)| (Value::from(&*name), values)));
    Value::object([("req_params", values)])
}

fn length(response: &Response) -> u64 {
    response.body().size_hint().exact().unwrap_or_default()
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
