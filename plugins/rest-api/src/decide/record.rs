//! The record of a decision.

use std::sync::Arc;

use jiff::Timestamp;
use regent_core::decision::DecisionEvent;
use regent_core::engine::{PolicyError, Query, QueryError};
use regent_core::status::Report;
use regent_core::store::Snapshot;
use regent_core::trace::Span;
use regent_core::{Host, Value};
use tokio::sync::watch;
use uuid::Uuid;

use super::Meter;
use crate::call::Call;
use crate::error::ApiError;

/// The attribute of a span that names its decision; all decisions of a batch have one span, and the id of the batch.
const DECISION_ID: &str = "opa.decision_id";

/// Hands events to whoever keeps records.
pub(super) struct Recorder {
    host: Host,
    report: watch::Receiver<Report>,
}

impl Recorder {
    pub(super) fn new(host: Host) -> Self {
        Self { report: host.status.watch(), host }
    }

    /// Records a decision, and gives its id if anyone keeps records. The call waits for its record where that is wanted.
    ///
    /// # Errors
    /// When the decision must not be answered because it cannot be recorded.
    pub(super) fn record(
        &self,
        call: &Call,
        snapshot: &Arc<Snapshot>,
        meter: &Meter,
        fill: impl FnOnce(&mut DecisionEvent),
    ) -> Result<Option<Arc<str>>, ApiError> {
        if !self.host.keeps_records() {
            return Ok(None);
        }
        let id: Arc<str> = (&*Uuid::new_v4().as_hyphenated().encode_lower(&mut Uuid::encode_buffer())).into();
        let settings = self.host.settings();
        let mut event = Box::new(DecisionEvent::new(id.clone(), snapshot.clone(), Timestamp::now()));
        event.metrics.clone_from(&meter.metrics);
        event.nd_builtin_cache = settings.nd_builtin_cache.then(|| meter.recorded.to_value());
        if let Some(wanted) = self.host.recorded_headers() {
            event.headers = headers(call, &wanted);
        }
        event.trace = call.span.as_ref().map(Span::ids);
        event.legacy_bundle = self.report.borrow().legacy_bundle.as_deref().map(Arc::from);
        // As in OPA, these two exist only where requests are logged.
        if tracing::enabled!(tracing::Level::INFO) {
            event.requested_by = Some(call.client.to_string());
            event.req_id = Some(call.id);
        }
        fill(&mut event);
        if let Some(span) = &call.span {
            span.set(DECISION_ID, event.batch_decision_id.as_deref().unwrap_or(&id));
        }
        if let Some(ack) = self.host.record(event).map_err(|error| ApiError::internal(error.chain()))? {
            call.acks.add(ack);
        }
        Ok(Some(id))
    }
}

/// The wanted headers; what else the request brought, such as credentials, is nobody's business.
fn headers(call: &Call, wanted: &[String]) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let named =
        |name: &String| call.head.headers.get_all(name).iter().map(|value| (name.clone(), text(value))).collect();
    wanted.iter().flat_map(|name| -> Vec<_> { named(name) }).collect()
}

/// The text of a query as records show it, if it says anything.
pub(super) fn query(snapshot: &Snapshot, query: &Query) -> Option<String> {
    match query {
        Query::Text(text) => Some(snapshot.spelling(text).into_owned()).filter(|text| !text.is_empty()),
        Query::Document(_) => None,
    }
}

/// Fills in the result or the error.
pub(super) fn outcome(event: &mut DecisionEvent, result: Result<Option<Value>, &QueryError>) {
    match result {
        Ok(result) => event.result = result,
        Err(QueryError::Compile(errors)) => {
            event.error = Some(Value::array(errors.0.iter().map(|error| Value::object(error.to_fields()))));
        }
        Err(QueryError::Evaluation(errors)) => {
            let shown = |error: &PolicyError| Value::object(error.to_fields());
            event.error = Some(match &errors.0[..] {
                [one] => shown(one),
                many => Value::array(many.iter().map(shown)),
            });
        }
        Err(other) => event.error = Some(other.to_string().into()),
    }
}
