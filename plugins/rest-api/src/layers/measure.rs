//! How long requests take, for Prometheus.

use std::collections::HashMap;
use std::time::Instant;

use arc_swap::ArcSwap;
use http::{Method, StatusCode};
use metrics::Histogram;
use regent_core::telemetry::Telemetry;

use super::{Around, pass};
use crate::answer::Response;
use crate::call::{Answers, Call};

const NAME: &str = "http_request_duration_seconds";

/// The handler that stands for authorization and what follows it.
const AUTHORIZATION: &str = "authz";

/// Status, handler, method.
type Labels = (u16, &'static str, &'static str);

/// Measures requests. The histograms are few, so each is looked up once and then kept.
pub(crate) struct Measure {
    telemetry: Telemetry,
    known: ArcSwap<HashMap<Labels, Histogram>>,
    /// Whether requests are authorized, which has a handler of its own.
    authorizes: bool,
}

/// Marks the answer to a request that no route has seen.
#[derive(Clone)]
pub(crate) struct Refused;

impl Measure {
    pub(crate) fn new(telemetry: Telemetry, authorizes: bool) -> Self {
        telemetry.describe_histogram(NAME, "A histogram of duration for requests.");
        Self { telemetry, known: ArcSwap::default(), authorizes }
    }

    fn record(&self, labels: Labels, seconds: f64) {
        if let Some(histogram) = self.known.load().get(&labels) {
            return histogram.record(seconds);
        }
        let (code, handler, method) = labels;
        let named = [("code", code.to_string()), ("handler", handler.to_owned()), ("method", method.to_owned())];
        let histogram = self.telemetry.histogram(NAME, &named);
        histogram.record(seconds);
        self.known.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.insert(labels, histogram.clone());
            known
        });
    }
}

impl Around for Measure {
    async fn answer<S: Answers + Send>(&self, call: Call, next: S) -> Response {
        let started = Instant::now();
        let (handler, method) = (call.route.handler(), method_name(&call.head.method));
        let response = pass(call, next).await;
        let handler = if response.status() == StatusCode::METHOD_NOT_ALLOWED { "catchall" } else { handler };
        let (code, seconds) = (response.status().as_u16(), started.elapsed().as_secs_f64());
        if self.authorizes {
            self.record((code, AUTHORIZATION, method), seconds);
        }
        if response.extensions().get::<Refused>().is_none() {
            self.record((code, handler, method), seconds);
        }
        response
    }
}

/// Clients may make up methods, but not as many labels.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "get",
        "POST" => "post",
        "PUT" => "put",
        "PATCH" => "patch",
        "DELETE" => "delete",
        "HEAD" => "head",
        "OPTIONS" => "options",
        _ => "unknown",
    }
}
