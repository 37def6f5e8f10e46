//! Decisions: one question, one snapshot, one answer, recorded before anyone sees it.
//!
//! Evaluation runs inline on a thread that answers other requests too, because most decisions take microseconds and
//! nothing is faster. What takes long runs aside instead ([`aside()`]), so that those who wait behind it move on: queries
//! that have not shown yet that they are quick, and the rest of an evaluation whose engine sees that it lingers.

mod aside;
mod authorization;
mod queries;
mod record;

use std::sync::Arc;
use std::time::Instant;

use arc_swap::Guard;
use regent_core::engine::{Evaluation, Location, Prints, Query, QueryError, QueryText, Recorded, RegoVersion};
use regent_core::metrics::Metrics;
use regent_core::store::Snapshot;
use regent_core::value::Path;
use regent_core::{Host, Value};

pub(crate) use aside::aside;
pub(crate) use queries::{Endpoint, Options};

use crate::call::Call;
use crate::error::ApiError;
use aside::Placement;
use authorization::Authorizations;
use queries::{CachedQuery, Queries};
use record::Recorder;

/// Built-in functions that a client must not call in a query of its own.
const UNSAFE_BUILTINS: [&str; 1] = ["http.send"];

/// How records of the decisions of a batch say where they come from; Enterprise OPA's word, by which receivers know them.
const BATCH: &str = "eopa.styra.com/batch";

/// Takes the time of one request.
pub(crate) struct Meter {
    /// When measuring began; never, if nobody will read it.
    started: Option<Instant>,
    /// What has been measured.
    pub(crate) metrics: Metrics,
    /// What non-deterministic built-in functions gave.
    recorded: Recorded,
}

impl Meter {
    /// Starts now; measures nothing unless somebody will read it.
    pub(crate) fn start(on: bool) -> Self {
        Self { started: on.then(Instant::now), metrics: Metrics::when(on), recorded: Recorded::default() }
    }

    /// Adds the time since the start.
    pub(crate) fn finish(&mut self) {
        if let Some(started) = self.started {
            self.metrics.add("timer_server_handler_ns", nanoseconds(started));
        }
    }

    /// The measurements for the answer.
    pub(crate) fn to_value(&self) -> Value {
        self.metrics.to_value()
    }
}

/// The time since then.
pub(crate) fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// What is asked about a document.
pub(crate) struct Question<'a> {
    /// Who asks; each keeps prepared queries of its own.
    pub(crate) endpoint: Endpoint,
    /// The document's path, escaped as in a URL.
    pub(crate) path: &'a str,
    /// How to evaluate.
    pub(crate) options: Options,
    /// The input document.
    pub(crate) input: Option<Value>,
}

/// An answered question.
pub(crate) struct Decision {
    /// The state that the decision saw.
    pub(crate) snapshot: Guard<Arc<Snapshot>>,
    /// The document's path.
    pub(crate) path: Path,
    /// The document; nothing if undefined.
    pub(crate) document: Option<Value>,
    /// Under which id it was recorded.
    pub(crate) id: Option<Arc<str>>,
}

/// A question whose query is ready, and the state that it will be answered from: once, or for many inputs.
pub(crate) struct PreparedQuestion {
    endpoint: Endpoint,
    options: Options,
    query: CachedQuery,
    /// The state that all answers see.
    pub(crate) snapshot: Guard<Arc<Snapshot>>,
}

/// One answer that is wanted of a prepared question.
pub(crate) struct DecisionInput<'a> {
    /// The path of the question, as it was asked.
    pub(crate) path: &'a str,
    /// The input document.
    pub(crate) input: Option<Value>,
    /// The id of the batch that it belongs to.
    pub(crate) batch: Option<&'a str>,
}

/// The answer to a prepared question, under the id that it was recorded under.
pub(crate) struct Answer {
    pub(crate) id: Option<Arc<str>>,
    pub(crate) document: Result<Option<Value>, QueryError>,
}

/// Answers questions.
pub(crate) struct Decider {
    host: Host,
    queries: Queries,
    authorizations: Authorizations,
    recorder: Recorder,
    version: RegoVersion,
}

impl Decider {
    /// A decider whose clients write queries in the given dialect.
    pub(crate) fn new(host: Host, version: RegoVersion) -> Self {
        Self {
            queries: Queries::default(),
            authorizations: Authorizations::default(),
            recorder: Recorder::new(host.clone()),
            host,
            version,
        }
    }

    /// Whether metrics are wanted even if the client does not ask for them.
    pub(crate) fn measures(&self) -> bool {
        self.host.keeps_records()
    }

    /// Decides what the document at a path is.
    pub(crate) fn document(
        &self,
        call: &Call,
        question: Question<'_>,
        meter: &mut Meter,
    ) -> Result<Decision, ApiError> {
        let prepared = self.prepare(call, &question, meter)?;
        let one = DecisionInput { path: question.path, input: question.input, batch: None };
        let Answer { id, document } = self.answer(call, &prepared, one, meter)?;
        let document = document.map_err(ApiError::of_document)?;
        Ok(Decision { path: prepared.query.path.clone(), snapshot: prepared.snapshot, document, id })
    }

    /// Finds the query for a question, and the state to answer it from. What cannot be asked is recorded.
    pub(crate) fn prepare(
        &self,
        call: &Call,
        question: &Question<'_>,
        meter: &mut Meter,
    ) -> Result<PreparedQuestion, ApiError> {
        let snapshot = self.host.store.current();
        let Question { endpoint, path, options, ref input } = *question;
        match self.queries.find(&snapshot, endpoint, options, path, &mut meter.metrics) {
            Ok(query) => Ok(PreparedQuestion { endpoint, options, query, snapshot }),
            Err(refused) => {
                self.recorder.record(call, &snapshot, meter, |event| {
                    event.path = plain(path);
                    event.input.clone_from(input);
                    event.error = Some(refused.to_string().into());
                })?;
                Err(refused)
            }
        }
    }

    /// Answers a prepared question for one input.
    ///
    /// # Errors
    /// When the decision must not be answered because it cannot be recorded.
    pub(crate) fn answer(
        &self,
        call: &Call,
        prepared: &PreparedQuestion,
        one: DecisionInput<'_>,
        meter: &mut Meter,
    ) -> Result<Answer, ApiError> {
        let PreparedQuestion { endpoint, options, query, snapshot } = prepared;
        let DecisionInput { path, input, batch } = one;
        let ask = |evaluation: &mut Evaluation<'_>| query.prepared.document(evaluation);
        let document =
            query.placement.run(|| self.evaluate(call, snapshot, input.as_ref(), options.strict, meter, ask));
        meter.finish();
        let id = self.recorder.record(call, snapshot, meter, |event| {
            event.path = plain(path);
            event.input = input;
            record::outcome(event, document.as_ref().cloned());
            if matches!(document, Ok(None)) && endpoint.is_bare() {
                event.error = Some(ApiError::undefined(snapshot, &query.path).to_value());
            }
            if let Some(batch) = batch {
                event.batch_decision_id = Some(batch.to_owned());
                event.custom = Some(Value::object([("type", BATCH)]));
            }
        })?;
        Ok(Answer { id, document })
    }

    /// What the policy says of a request; not recorded. `input` is made from the state that the policy sees.
    pub(crate) fn authorization(
        &self,
        call: &Call,
        input: impl FnOnce(&Snapshot) -> Value,
    ) -> Result<Option<Value>, ApiError> {
        let snapshot = self.host.store.current();
        let path = &self.host.settings().default_authorization_decision;
        let query = self.authorizations.find(&snapshot, path)?;
        let input = input(&snapshot);
        let mut meter = Meter::start(false);
        let ask = |evaluation: &mut Evaluation<'_>| query.prepared.document(evaluation);
        let answer = query.placement.run(|| self.evaluate(call, &snapshot, Some(&input), false, &mut meter, ask));
        answer.map_err(ApiError::of_document)
    }

    /// Answers a query in Rego text with the bindings of each row.
    pub(crate) fn query(
        &self,
        call: &Call,
        text: String,
        input: Option<Value>,
        meter: &mut Meter,
    ) -> Result<Vec<Value>, ApiError> {
        let snapshot = self.host.store.snapshot();
        let unsafe_builtins = UNSAFE_BUILTINS.map(str::to_owned).to_vec();
        let version = self.version;
        let query =
            Query::Text(QueryText { text, version, unsafe_builtins, recognise_rules: true, ..QueryText::default() });
        let prepared = meter.metrics.time("timer_rego_query_compile_ns", |_| snapshot.prepare(&query));
        if call.params().flag("instrument") {
            snapshot.time_stages(&query, &mut meter.metrics);
        }
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(refused) => {
                // As in OPA, what does not parse is no decision, and nothing at all is one.
                if let QueryError::Compile(_) | QueryError::Empty = refused {
                    self.recorder.record(call, &snapshot, meter, |event| {
                        event.query = record::query(&snapshot, &query);
                        event.input = input;
                        record::outcome(event, Err(&refused));
                    })?;
                }
                return Err(ApiError::of_query(refused));
            }
        };
        let ask = |evaluation: &mut Evaluation<'_>| prepared.evaluate(evaluation);
        let answer = Placement::default().run(|| self.evaluate(call, &snapshot, input.as_ref(), false, meter, ask));
        let rows =
            answer.map(|answer| answer.rows.into_iter().map(|row| Value::object(row.bindings)).collect::<Vec<_>>());
        self.recorder.record(call, &snapshot, meter, |event| {
            event.query = record::query(&snapshot, &query);
            event.input = input;
            let result = |rows: &Vec<Value>| if rows.is_empty() { Value::NULL } else { Value::from(rows.clone()) };
            record::outcome(event, rows.as_ref().map(|rows| Some(result(rows))));
        })?;
        rows.map_err(ApiError::of_query)
    }

    fn evaluate<T>(
        &self,
        call: &Call,
        snapshot: &Snapshot,
        input: Option<&Value>,
        strict_builtin_errors: bool,
        meter: &mut Meter,
        ask: impl FnOnce(&mut Evaluation<'_>) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let mut printer = Printer(call);
        let settings = self.host.settings();
        let mut evaluation = Evaluation {
            data: snapshot.data(),
            linked: snapshot.linked(),
            input,
            strict_builtin_errors,
            builtin_errors: None,
            cancel: &call.cancel,
            linger: |work| aside(work),
            metrics: std::mem::take(&mut meter.metrics),
            prints: Some(&mut printer),
            caching: &settings.caching,
            recorded: (settings.nd_builtin_cache && self.host.keeps_records()).then(Recorded::default),
            trace: call.span.as_ref(),
        };
        let answer = ask(&mut evaluation);
        meter.metrics = evaluation.metrics;
        meter.recorded = evaluation.recorded.unwrap_or_default();
        answer
    }
}

/// The path as records show it: as the client wrote it, but for the slash in front.
fn plain(path: &str) -> String {
    path.strip_prefix('/').unwrap_or(path).to_owned()
}

/// Sends what `print` says to the log.
struct Printer<'a>(&'a Call);

impl Prints for Printer<'_> {
    fn print(&mut self, text: &str, location: &Location) {
        let Call { id, client, head, .. } = self.0;
        let path = head.uri.path();
        tracing::info!(client_addr = %client, req_id = id, req_method = %head.method, req_path = path, line = %location, "{text}");
    }
}
