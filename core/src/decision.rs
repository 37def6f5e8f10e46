//! Decisions and the records that are kept of them.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use crate::error::{Error, ErrorKind};
use crate::metrics::Metrics;
use crate::service::BoxFuture;
use crate::store::{ActiveBundle, Snapshot};
use crate::value::{Value, decode, write_json, write_json_string};

/// The record of one answered policy query, with the fields that OPA gives it.
///
/// The REST API makes it, `decision-logs` shapes it (labels, masks) and encodes it for sinks ([`EncodedEvent`]). Values are
/// shared, so a clone is cheap.
#[derive(Debug, Clone)]
pub struct DecisionEvent {
    /// The agent's labels.
    pub labels: Value,
    /// A UUID, which the client sees as `decision_id` too.
    pub decision_id: Arc<str>,
    /// A UUID that the decisions of one batch have in common.
    pub batch_decision_id: Option<String>,
    /// Trace and span of the request, in hexadecimal.
    pub trace: Option<(String, String)>,
    /// The path below `data` that was asked for, without leading slash; empty for ad-hoc queries.
    pub path: String,
    /// An ad-hoc query as the engine spells it ([`Program::spelling`](crate::engine::Program::spelling)).
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
    pub metrics: Metrics,
    /// Number of the request, as in the agent's own log.
    pub req_id: Option<u64>,
    /// Configured request headers: `{"http": {"headers": {NAME: [VALUE, …]}}}`.
    pub request_context: Option<Value>,
    /// What an API beside OPA's own says of the decision, such as `{"type": …}`.
    pub custom: Option<Value>,
    /// Those headers of the request that the recorder asks for: lower-case name and value.
    pub headers: Vec<(String, String)>,
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
    pub fn new(decision_id: Arc<str>, snapshot: Arc<Snapshot>, timestamp: Timestamp) -> Self {
        let bundles = snapshot.bundles().clone();
        Self { snapshot: Some(snapshot), ..Self::bare(decision_id, bundles, timestamp) }
    }

    fn bare(decision_id: Arc<str>, bundles: Arc<BTreeMap<Arc<str>, ActiveBundle>>, timestamp: Timestamp) -> Self {
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
            metrics: Metrics::default(),
            req_id: None,
            request_context: None,
            custom: None,
            headers: Vec::new(),
            bundles,
            snapshot: None,
            legacy_bundle: None,
        }
    }

    /// The event as services receive it.
    pub fn to_value(&self) -> Value {
        let present = self.fields().into_iter().filter_map(|(name, field)| Some((name, field?.to_value())));
        Value::object(present)
    }

    /// Appends [`DecisionEvent::to_value`] as JSON, without making it.
    fn write_json(&self, out: &mut Vec<u8>) {
        let mut before = b'{';
        for (name, field) in self.fields() {
            let Some(field) = field else { continue };
            out.push(before);
            before = b',';
            // None of the names needs an escape.
            out.push(b'"');
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            field.write_json(out);
        }
        out.push(b'}');
    }

    /// All fields by name, in the order of their names.
    fn fields(&self) -> [(&'static str, Option<Field<'_>>); 21] {
        let revision = |name: &Arc<str>| self.bundles.get(name)?.revision.as_deref();
        [
            ("batch_decision_id", self.batch_decision_id.as_deref().map(Field::Text)),
            ("bundles", self.revisions().map(Field::Made)),
            ("custom", self.custom.as_ref().map(Field::Value)),
            ("decision_id", Some(Field::Text(&self.decision_id))),
            ("erased", list(&self.erased).map(Field::Made)),
            ("error", self.error.as_ref().map(Field::Value)),
            ("input", self.input.as_ref().map(Field::Value)),
            ("labels", Some(Field::Value(&self.labels))),
            ("masked", list(&self.masked).map(Field::Made)),
            ("metrics", Some(Field::Metrics(&self.metrics))),
            ("nd_builtin_cache", self.nd_builtin_cache.as_ref().map(Field::Value)),
            ("path", (!self.path.is_empty()).then(|| Field::Text(&self.path))),
            ("query", self.query.as_deref().map(Field::Text)),
            ("req_id", self.req_id.map(Field::Number)),
            ("request_context", self.request_context.as_ref().map(Field::Value)),
            ("requested_by", self.requested_by.as_deref().map(Field::Text)),
            ("result", self.result.as_ref().map(Field::Value)),
            ("revision", self.legacy_bundle.as_ref().and_then(revision).map(Field::Text)),
            ("span_id", self.trace.as_ref().map(|(_, span)| Field::Text(span))),
            ("timestamp", Some(Field::Time(self.timestamp))),
            ("trace_id", self.trace.as_ref().map(|(trace, _)| Field::Text(trace))),
        ]
    }

    fn revisions(&self) -> Option<Value> {
        if self.legacy_bundle.is_some() || self.bundles.is_empty() {
            return None;
        }
        let revision = |revision: &Option<String>| Value::object(revision.as_ref().map(|text| ("revision", text)));
        Some(Value::object(self.bundles.iter().map(|(name, bundle)| (name.clone(), revision(&bundle.revision)))))
    }
}

/// A field of an event.
enum Field<'a> {
    Text(&'a str),
    Number(u64),
    Time(Timestamp),
    Metrics(&'a Metrics),
    Value(&'a Value),
    Made(Value),
}

impl Field<'_> {
    fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => (*text).into(),
            Self::Number(number) => (*number).into(),
            Self::Time(time) => time.to_string().into(),
            Self::Metrics(metrics) => metrics.to_value(),
            Self::Value(value) => (*value).clone(),
            Self::Made(value) => value.clone(),
        }
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => write_json_string(out, text),
            Self::Number(number) => out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
            Self::Time(time) => {
                out.push(b'"');
                // Writing into memory cannot fail.
                let _ = DateTimePrinter::new().print_timestamp(time, &mut *out);
                out.push(b'"');
            }
            Self::Metrics(metrics) => metrics.write_json(out),
            Self::Value(value) => write_json(out, value),
            Self::Made(value) => write_json(out, value),
        }
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
        Self::by_way_of(&mut Vec::new(), event)
    }

    /// As [`EncodedEvent::of`], for who encodes many: `room` is written to each time, and what it holds does not matter.
    pub fn by_way_of(room: &mut Vec<u8>, event: &DecisionEvent) -> Self {
        room.clear();
        event.write_json(room);
        let json = Bytes::copy_from_slice(room);
        Self { decision_id: event.decision_id.clone(), timestamp: event.timestamp, json }
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
    /// Names, in lower case, of the request headers that events should bring along, if there are any. Others may hold
    /// secrets and stay out.
    fn headers(&self) -> Option<Arc<Vec<String>>> {
        None
    }

    /// Takes one event, quickly: the request waits. It comes in a box, because it is large and handed on often. Who gets an [`Ack`] does not
    /// answer before it is done.
    ///
    /// # Errors
    /// When the decision must not be answered because it cannot be recorded.
    fn record(&self, event: Box<DecisionEvent>) -> Result<Option<Ack>, Error>;
}

/// The acknowledgement that a record is safe, once it is; an error if it cannot be kept, and the decision must not be
/// answered for that.
pub type Ack = BoxFuture<'static, Result<(), Error>>;

/// Events that a sink refuses for good while it has taken all others of the batch: the cause of its [`Error`], which is of
/// kind [`crate::ErrorKind::Refused`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct RefusedEvents {
    /// How many.
    pub count: usize,
    /// What is wrong with the first of them.
    pub why: String,
}

impl RefusedEvents {
    /// What a sink makes of a batch whose other events it has taken, given why it never takes each of these.
    ///
    /// # Errors
    /// Of kind [`crate::ErrorKind::Refused`], if there are any. It names who refused them.
    pub fn check(who: &str, whys: Vec<String>) -> Result<(), Error> {
        let count = whys.len();
        let Some(why) = whys.into_iter().next() else { return Ok(()) };
        let refused = Error::new(ErrorKind::Refused, format!("{who} does not take all events"));
        Err(refused.caused_by(Self { count, why }))
    }

    /// How many events of a batch are lost by the error: those that it names, or else all of them.
    pub fn lost(error: &Error, batch: usize) -> usize {
        let named = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Self>());
        named.map_or(batch, |refused| refused.count.min(batch))
    }
}

/// A batch on its way into a sink.
pub type Delivery<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// How many events a sink would like to be given at once. It may get fewer, as when the agent stops, and a few bytes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSettings {
    /// As many events.
    pub events: usize,
    /// Or events of so many bytes.
    pub bytes: usize,
    /// Or those that there are, once the first of them has waited so long.
    pub wait: Duration,
}

impl Default for BatchSettings {
    /// What there is, at once, and not too much of it.
    fn default() -> Self {
        Self { events: 256, bytes: 4 << 20, wait: Duration::ZERO }
    }
}

/// Where recorded events go, in the form that the registry and `decision-logs` handle. Authors write
/// [`crate::plugin::DecisionSink`] instead.
pub trait SinkHandle: Send + Sync {
    /// Delivers a batch in order; done when the sink has taken it.
    ///
    /// An error of kind [`crate::ErrorKind::Unavailable`] means that the same batch may be offered again.
    fn write(&self, events: Arc<[EncodedEvent]>) -> Delivery<'_>;

    /// How many events the sink would like to be given at once.
    fn batch_settings(&self) -> BatchSettings {
        BatchSettings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::encode;

    fn value(json: &str) -> Value {
        decode(json.as_bytes()).expect("JSON")
    }

    #[test]
    fn a_batch_without_refused_events_is_taken_and_one_with_some_is_an_error_that_counts_them() {
        assert!(RefusedEvents::check("Acme", Vec::new()).is_ok());
        let whys = vec!["too large".to_owned(), "too late".to_owned()];
        let error = RefusedEvents::check("Acme", whys).expect_err("two are refused");
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(error.chain(), "Acme does not take all events: too large");
        assert_eq!(RefusedEvents::lost(&error, 9), 2);
    }

    #[test]
    fn events_are_encoded_as_their_values_are() {
        let mut event = DecisionEvent::bare("d<1>".into(), Arc::default(), Timestamp::UNIX_EPOCH);
        let encoded = |event: &DecisionEvent| {
            let json = EncodedEvent::of(event).json().clone();
            assert_eq!(String::from_utf8_lossy(&json), encode(&event.to_value()));
            json
        };
        let bare = r#"{"decision_id":"d\u003c1\u003e","labels":{},"metrics":{},"timestamp":"1970-01-01T00:00:00Z"}"#;
        assert_eq!(encoded(&event), bare);
        event.labels = value(r#"{"id": "a"}"#);
        event.batch_decision_id = Some("b".to_owned());
        event.trace = Some(("t".to_owned(), "s".to_owned()));
        event.path = "p\"/q".to_owned();
        event.query = Some("data.p\n".to_owned());
        event.input = Some(value(r#"{"z": [1, 2.50, null], "a": "é"}"#));
        event.result = Some(Value::NULL);
        event.nd_builtin_cache = Some(Value::empty_object());
        event.erased = vec!["/input/a".to_owned()];
        event.masked = vec!["/input/b".to_owned(), "/result".to_owned()];
        event.error = Some("why".into());
        event.requested_by = Some("127.0.0.1:1".to_owned());
        event.metrics = Metrics::on();
        event.metrics.add("timer_z_ns", 5);
        event.metrics.add("counter_a", u64::MAX);
        event.req_id = Some(7);
        event.request_context = Some(value(r#"{"http": {}}"#));
        event.custom = Some(value(r#"{"type": "x"}"#));
        let bundle = |revision: &str| ActiveBundle { revision: Some(revision.to_owned()), ..ActiveBundle::default() };
        let bundles = [("y".into(), bundle("r")), ("x".into(), ActiveBundle::default())];
        event.bundles = Arc::new(bundles.into());
        let whole = encoded(&event);
        assert!(whole.starts_with(br#"{"batch_decision_id":"b","bundles":{"x":{},"y":{"revision":"r"}},"custom""#));
        event.legacy_bundle = Some("y".into());
        let legacy = encoded(&event);
        assert!(String::from_utf8_lossy(&legacy).contains(r#""result":null,"revision":"r","span_id":"s""#));
        assert_eq!(EncodedEvent::decode(legacy.clone()).map(|event| event.json().clone()), Some(legacy));
    }
}
