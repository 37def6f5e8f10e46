//! The two log lines of every request.

use std::collections::BTreeMap;
use std::time::Instant;

use http_body::Body as _;
use http_body_util::BodyExt as _;
use regent_core::Value;
use tracing::{Level, enabled, info};

use crate::answer::Response;
use crate::call::Call;
use crate::limits::Limits;
use crate::params::Params;

/// Logs requests and answers; at debug level with what they hold.
pub(super) struct Log {
    pub(super) limits: Limits,
}

/// How much of a call is logged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    InBrief,
    InFull,
}

impl Log {
    /// Logs that a request has come; the result is what to say of the answer.
    pub(super) async fn request(&self, call: &mut Call) -> Said {
        if enabled!(Level::DEBUG) {
            self.say_request(call).await;
            Said::InFull
        } else if enabled!(Level::INFO) {
            let Call { id, client, head, .. } = &*call;
            info!(client_addr = %client, req_id = id, req_method = %head.method, req_path = head.uri.path(), "Received request.");
            Said::InBrief
        } else {
            Said::Nothing
        }
    }

    async fn say_request(&self, call: &mut Call) {
        // A body that cannot be read is for the route to complain about.
        let _ = call.sent_body(self.limits).await;
        let body = call.unpacked_body(self.limits).await.unwrap_or_default();
        let body = String::from_utf8_lossy(&body).into_owned();
        let params = shown(call.params());
        let Call { id, client, head, .. } = &*call;
        info!(client_addr = %client, req_id = id, req_method = %head.method, req_path = head.uri.path(), req_body = %body, json = %params, "Received request.");
    }
}

/// Logs the answer.
pub(super) async fn answer(call: &Call, response: &Response, said: Said) {
    match said {
        Said::Nothing => {}
        Said::InBrief => say_response(call, response, None),
        Said::InFull => {
            let Ok(sent) = response.body().clone().collect().await;
            let sent = sent.to_bytes();
            let packed = response.headers().contains_key(http::header::CONTENT_ENCODING);
            let body = if packed { "[compressed payload]".into() } else { String::from_utf8_lossy(&sent) };
            say_response(call, response, Some(&body));
        }
    }
}

fn say_response(call: &Call, response: &Response, body: Option<&str>) {
    let Call { id, client, head, .. } = call;
    info!(
        client_addr = %client,
        req_id = id,
        req_method = %head.method,
        req_path = head.uri.path(),
        resp_status = response.status().as_u16(),
        resp_bytes = length(response),
        resp_duration = milliseconds(call.since),
        resp_body = body.map(tracing::field::display),
        "Sent response."
    );
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
