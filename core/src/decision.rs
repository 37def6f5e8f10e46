//! Decisions and the records that are kept of them.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::error::Error;
use crate::service::BoxFuture;
use crate::store::{ActiveBundle, Snapshot};
use crate::value::{Value, decode, write_json};

/// The record of one answered policy query, with the fields that OPA gives it.
///
/// The REST API makes it, `decision-logs` shapes it (labels, masks) and encodes it for sinks ([`EncodedEvent`]). Values are
/// shared, so a clone is cheap.
#[derive(Debug, Clone)]
pub struct DecisionEvent {
    /// The agent's labels.
    pub labels: Value,
    /// A UUID, which the client sees as `decision_id` too.
    pub decision_id: String,
    /// A UUID that the decisions of one batch have in common.
    pub batch_decision_id: Option<String>,
    /// Trace and span of the request, in hexadecimal.
    pub trace: Option<(String, String)>,
    /// The path below `data` that was asked for, without leading slash; empty for ad-hoc queries.
    pub path: String,
    /// The text of an ad-hoc query.
    pub query: Option<String>,
    /// The input; absent when none was given.
    pub input: Option<Value>,
    /// The result; absent when undefined or failed.
    pub result: Option<Value>,
    /// What non-deterministic built-in functions returned, if that is recorded.
    pub nd_builtin_cache: Option<Value>,
    /// Pointers that a mask removed.
    pub erased: Vec<String>,
    /// Pointers that a mask replaced.
    pub masked: Vec<String>,
    /// The error, if there was no answer.
    pub error: Option<Value>,
    /// The client's address.
    pub requested_by: Option<String>,
    /// When the decision was made.
    pub timestamp: Timestamp,
    /// What it cost.
    pub metrics: Value,
    /// Number of the request, as in the agent's own log.
    pub req_id: Option<u64>,
    /// Configured request headers: `{"http": {"headers": {NAME: [VALUE, …]}}}`.
    pub request_context: Option<Value>,
    /// What an API beside OPA's own says of the decision, such as `{"type": …}`.
    pub custom: Option<Value>,
    /// Those headers of the request that the recorder asks for: lower-case name and value.
    pub headers: Arc<[(String, String)]>,
    /// The bundles that were active.
    pub bundles: Arc<BTreeMap<Arc<str>, ActiveBundle>>,
    /// The state that the decision saw, for the policies that mask and drop. They take it out, so that events which wait
    /// for a sink hold on to no old state.
    pub snapshot: Option<Arc<Snapshot>>,
    /// Name of the one bundle that the deprecated `bundle` section configures; its revision is shown as `revision`.
    pub legacy_bundle: Option<Arc<str>>,
}

impl DecisionEvent {
    /// An event without anything optional.
    pub fn new(decision_id: String, snapshot: Arc<Snapshot>, timestamp: Timestamp) -> Self {
        Self {
            labels: Value::empty_object(),
            decision_id,
            batch_decision_id: None,
            trace: None,
            path: String::new(),
            query: None,
            input: None,
            result: None,
            nd_builtin_cache: None,
            erased: Vec::new(),
            masked: Vec::new(),
            error: None,
            requested_by: None,
            timestamp,
            metrics: Value::empty_object(),
            req_id: None,
            request_context: None,
            custom: None,
            headers: Arc::default(),
            bundles: snapshot.bundles().clone(),
            snapshot: Some(snapshot),
            legacy_bundle: None,
        }
    }

    /// The event as services receive it.
    pub fn to_value(&self) -> Value {
        let mut fields = vec![("labels", self.labels.clone()), ("decision_id", Value::from(&self.decision_id))];
        let mut optional = |name, value: Option<Value>| fields.extend(value.map(|value| (name, value)));
        let revision = |name: &Arc<str>| self.bundles.get(name)?.revision.as_deref().map(Value::from);
        optional("batch_decision_id", self.batch_decision_id.as_ref().map(Value::from));
        optional("trace_id", self.trace.as_ref().map(|(trace, _)| trace.into()));
        optional("span_id", self.trace.as_ref().map(|(_, span)| span.into()));
        optional("revision", self.legacy_bundle.as_ref().and_then(revision));
        optional("bundles", self.revisions());
        optional("path", (!self.path.is_empty()).then(|| (&self.path).into()));
        optional("query", self.query.as_ref().map(Value::from));
        optional("input", self.input.clone());
        optional("result", self.result.clone());
        optional("nd_builtin_cache", self.nd_builtin_cache.clone());
        optional("erased", list(&self.erased));
        optional("masked", list(&self.masked));
        optional("error", self.error.clone());
        optional("requested_by", self.requested_by.as_ref().map(Value::from));
        optional("timestamp", Some(self.timestamp.to_string().into()));
        optional("metrics", Some(self.metrics.clone()));
        optional("req_id", self.req_id.map(Value::from));
        optional("request_context", self.request_context.clone());
        optional("custom", self.custom.clone());
        Value::object(fields)
    }

    fn revisions(&self) -> Option<Value> {
        if self.legacy_bundle.is_some() || self.bundles.is_empty() {
            return None;
        }
        let revision = |revision: &Option<String>| Value::object(revision.as_ref().map(|text| ("revision", text)));
        Some(Value::object(self.bundles.iter().map(|(name, bundle)| (name.clone(), revision(&bundle.revision)))))
    }
}

/// An event as receivers get it: shaped, and encoded once for all of them. Clones share the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedEvent {
    decision_id: Arc<str>,
    timestamp: Timestamp,
    json: Bytes,
}

impl EncodedEvent {
    /// Encodes an event.
    pub fn of(event: &DecisionEvent) -> Self {
        let mut json = Vec::with_capacity(1024);
        write_json(&mut json, &event.to_value());
        Self { decision_id: event.decision_id.as_str().into(), timestamp: event.timestamp, json: json.into() }
    }

    /// An event from what [`EncodedEvent::json`] gave; nothing if the bytes are no event.
    pub fn decode(json: Bytes) -> Option<Self> {
        let value = decode(&json).ok()?;
        let text = |key| value.get(key).and_then(Value::as_str);
        let (decision_id, timestamp) = (text("decision_id")?.into(), text("timestamp")?.parse().ok()?);
        Some(Self { decision_id, timestamp, json })
    }

    /// The id of the decision.
    pub fn decision_id(&self) -> &str {
        &self.decision_id
    }

    /// When the decision was made.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The event as one JSON object, without line breaks.
    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// The event as a value, for who wants single fields of it. Decodes anew each time.
    pub fn to_value(&self) -> Value {
        decode(&self.json).unwrap_or_default()
    }
}

fn list(pointers: &[String]) -> Option<Value> {
    (!pointers.is_empty()).then(|| Value::array(pointers))
}

/// Takes the events of answered requests; `decision-logs` fills this role.
pub trait DecisionRecorder: Send + Sync {
    /// Names, in lower case, of the request headers that events should bring along. Others may hold secrets and stay out.
    fn headers(&self) -> Arc<Vec<String>> {
        Arc::default()
    }

    /// Takes one event, quickly: the request waits. Who gets a [`Safekeeping`] does not answer before it is done.
    ///
    /// # Errors
    /// When the decision must not be answered because it cannot be recorded.
    fn record(&self, event: DecisionEvent) -> Result<Option<Safekeeping>, Error>;
}

/// Done when a record is safe; an error if it cannot be kept, and the decision must not be answered for that.
pub type Safekeeping = BoxFuture<'static, Result<(), Error>>;

/// A batch on its way into a sink.
pub type Delivery<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// Where recorded events go, in the form that the registry and `decision-logs` handle. Authors write
/// [`crate::plugin::DecisionSink`] instead.
pub trait SinkHandle: Send + Sync {
    /// Delivers a batch in order; done when the sink has taken it.
    ///
    /// An error of kind [`crate::ErrorKind::Unavailable`] means that the same batch may be offered again.
    fn write(&self, events: Arc<[EncodedEvent]>) -> Delivery<'_>;
}
