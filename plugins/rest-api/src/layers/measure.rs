//! How long requests take, and how many were given up, for Prometheus.

use std::sync::OnceLock;

use http::{Method, StatusCode};
use metrics::Histogram;
use regent_core::telemetry::Telemetry;

use crate::answer::Response;
use crate::call::Call;

const NAME: &str = "http_request_duration_seconds";

const CANCELLATIONS: &str = "http_request_cancellations";

/// The handler that stands for authorization and what follows it.
const AUTHORIZATION: &str = "authz";

/// Most histograms that are kept, in the order in which they were needed first: who comes often is found early.
const MOST: usize = 64;

/// Status, handler, method.
type Labels = (u16, &'static str, &'static str);

/// Measures requests.
pub(super) struct Measure {
    requests: Requests,
    /// Whether requests are authorized, which has a handler of its own.
    authorizes: bool,
}

/// What is measured. The histograms are few, so each is looked up once and then kept.
struct Requests {
    telemetry: Telemetry,
    known: [OnceLock<(Labels, Histogram)>; MOST],
}

/// Marks the answer to a request that no route has seen.
#[derive(Clone)]
pub(crate) struct Refused;

impl Measure {
    pub(super) fn new(telemetry: Telemetry, authorizes: bool) -> Self {
        telemetry.describe_histogram(NAME, "A histogram of duration for requests.");
        telemetry.describe_counter(CANCELLATIONS, "A count of cancelled requests.");
        Self { requests: Requests { telemetry, known: [const { OnceLock::new() }; MOST] }, authorizes }
    }
}

impl Requests {
    /// Counts a request whose client has gone. Methods are written as requests have them, unlike those of requests.
    fn count_cancellation(&self, (code, handler, method): Labels) {
        let named = [("code", code.to_string()), ("handler", handler.to_owned()), ("method", method.to_uppercase())];
        self.telemetry.counter(CANCELLATIONS, &named).increment(1);
    }

    fn record(&self, labels: Labels, seconds: f64) {
        let mut slots = self.known.iter().map(|slot| slot.get_or_init(|| (labels, self.histogram(labels))));
        match slots.find(|(known, _)| *known == labels) {
            Some((_, histogram)) => histogram.record(seconds),
            None => self.histogram(labels).record(seconds),
        }
    }

    fn histogram(&self, (code, handler, method): Labels) -> Histogram {
        let named = [("code", code.to_string()), ("handler", handler.to_owned()), ("method", method.to_owned())];
        self.telemetry.histogram(NAME, &named)
    }
}

impl Measure {
    pub(super) fn begin(&self, call: &Call) -> Waiting<'_> {
        Waiting { measure: self, handler: call.route.handler(), method: method_name(&call.head.method) }
    }
}

/// A request that waits for something. It is given up with its client when it is dropped meanwhile, and has no status
/// then; it counts among those that were cancelled in the middle of an evaluation, which end with 500.
pub(super) struct Waiting<'a> {
    measure: &'a Measure,
    handler: &'static str,
    method: &'static str,
}

impl Waiting<'_> {
    /// The answer is there.
    pub(super) fn end(self, call: &Call, response: &Response) {
        let Self { measure: Measure { requests, authorizes }, handler, method } = self;
        std::mem::forget(self);
        let handler = if response.status() == StatusCode::METHOD_NOT_ALLOWED { "catchall" } else { handler };
        let (code, seconds) = (response.status().as_u16(), call.since.elapsed().as_secs_f64());
        if *authorizes {
            requests.record((code, AUTHORIZATION, method), seconds);
        }
        if call.cancel.is_given() {
            requests.count_cancellation((code, handler, method));
        }
        if response.extensions().get::<Refused>().is_none() {
            requests.record((code, handler, method), seconds);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.measure.requests.count_cancellation((
            StatusCode::INTERNAL_SERVER_ERROR.as_u16(),
            self.handler,
            self.method,
        ));
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
