//! How long requests take, and how many were given up, for Prometheus.

use std::collections::HashMap;

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use http::{Method, StatusCode};
use metrics::Histogram;
use regent_core::telemetry::Telemetry;

use crate::answer::Response;
use crate::call::{Answers, Call};

const NAME: &str = "http_request_duration_seconds";

const CANCELLATIONS: &str = "http_request_cancellations";

/// The handler that stands for authorization and what follows it.
const AUTHORIZATION: &str = "authz";

/// Status, handler, method.
type Labels = (u16, &'static str, &'static str);

/// Measures requests.
pub(super) struct Measure<S> {
    requests: Requests,
    /// Whether requests are authorized, which has a handler of its own.
    authorizes: bool,
    next: S,
}

/// What is measured. The histograms are few, so each is looked up once and then kept.
struct Requests {
    telemetry: Telemetry,
    known: ArcSwap<HashMap<Labels, Histogram, RandomState>>,
}

/// Marks the answer to a request that no route has seen.
#[derive(Clone)]
pub(crate) struct Refused;

impl<S> Measure<S> {
    pub(super) fn new(telemetry: Telemetry, authorizes: bool, next: S) -> Self {
        telemetry.describe_histogram(NAME, "A histogram of duration for requests.");
        telemetry.describe_counter(CANCELLATIONS, "A count of cancelled requests.");
        Self { requests: Requests { telemetry, known: ArcSwap::default() }, authorizes, next }
    }
}

impl Requests {
    /// Counts a request whose client has gone. Methods are written as requests have them, unlike those of requests.
    fn count_cancellation(&self, (code, handler, method): Labels) {
        let named = [("code", code.to_string()), ("handler", handler.to_owned()), ("method", method.to_uppercase())];
        self.telemetry.counter(CANCELLATIONS, &named).increment(1);
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

impl<S: Answers> Answers for Measure<S> {
    async fn answer(&self, call: &mut Call) -> Response {
        let requests = &self.requests;
        let (handler, method) = (call.route.handler(), method_name(&call.head.method));
        let waiting = Waiting { requests, handler, method };
        let response = self.next.answer(call).await;
        std::mem::forget(waiting);
        let handler = if response.status() == StatusCode::METHOD_NOT_ALLOWED { "catchall" } else { handler };
        let (code, seconds) = (response.status().as_u16(), call.since.elapsed().as_secs_f64());
        if self.authorizes {
            requests.record((code, AUTHORIZATION, method), seconds);
        }
        if call.cancel.is_given() {
            requests.count_cancellation((code, handler, method));
        }
        if response.extensions().get::<Refused>().is_none() {
            requests.record((code, handler, method), seconds);
        }
        response
    }
}

/// A request that waits for something. It is given up with its client when it is dropped meanwhile, and has no status
/// then; it counts among those that were cancelled in the middle of an evaluation, which end with 500.
struct Waiting<'a> {
    requests: &'a Requests,
    handler: &'static str,
    method: &'static str,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.requests.count_cancellation((StatusCode::INTERNAL_SERVER_ERROR.as_u16(), self.handler, self.method));
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
