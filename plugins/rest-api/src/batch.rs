//! `POST /v1/batch/data/{path}`: the document for many inputs in one request, as Enterprise OPA has it.
//!
//! Every input makes a decision of its own, recorded under its own id and that of the batch. All see one state. They
//! are spread over the threads of the runtime, as if so many clients had asked one after the other: whoever else waits
//! for a thread gets one after a millisecond at the latest, or at once if a decision takes long.

mod merge;
mod request;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;
use regent_core::Value;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::answer::{self, Json, Response};
use crate::call::Call;
use crate::context::ApiContext;
use crate::data::{provenance, usage_warning, wants_metrics};
use crate::decide::{Answer, DecisionInput, Endpoint, Meter, Options, PreparedQuestion, Question, aside};
use crate::error::ApiError;
use request::Inputs;

/// What clients are told when they send no inputs at all.
const NO_INPUTS: &str = "'inputs' key missing from the request";

/// How long a batch may keep a thread before others get their turn.
const TURN: Duration = Duration::from_millis(1);

/// From how many decisions on others should not wait until the answer is written.
const LARGE: usize = 1_000;

/// Answers with what the path comes to for each input.
pub(crate) async fn answer(api: &Arc<ApiContext>, call: &mut Call) -> Result<Response, ApiError> {
    let mut meter = Meter::start(wants_metrics(call) || api.decider.measures());
    let request = request::read(api, call, &mut meter).await?;
    if call.params().wants_explanation() {
        return Err(api.refuse_explanation());
    }
    let id = api.host.keeps_records().then(|| uuid::Uuid::new_v4().to_string());
    let warn = request.is_none();
    let Inputs { inputs, common } = request.unwrap_or_default();
    let count = inputs.len();
    let batch =
        Arc::new(Batch { api: api.clone(), call: call.without_body(), inputs, common, next: AtomicUsize::new(0), id });
    let prepared = Arc::new(batch.prepare(&mut meter)?);
    let outcomes = batch.run(&prepared).await;
    meter.finish();
    let respond = || batch.respond(&prepared, outcomes, &meter, warn);
    Ok(if count < LARGE { respond() } else { aside(respond) })
}

/// One request and how far it has come.
struct Batch {
    api: Arc<ApiContext>,
    call: Call,
    /// By the client's keys, in their order.
    inputs: Vec<(Value, Value)>,
    common: Option<Value>,
    /// The first input that nobody has taken yet.
    next: AtomicUsize,
    id: Option<String>,
}

/// What became of one input.
struct Outcome {
    id: Option<Arc<str>>,
    document: Result<Option<Value>, ApiError>,
    metrics: Value,
}

impl Batch {
    fn options(&self) -> Options {
        let params = self.call.params();
        Options { strict: params.flag("strict-builtin-errors"), instrument: params.flag("instrument") }
    }

    fn prepare(&self, meter: &mut Meter) -> Result<PreparedQuestion, ApiError> {
        let (endpoint, path, options) = (Endpoint::Batch, self.call.below(), self.options());
        self.api.decider.prepare(&self.call, &Question { endpoint, path, options, input: None }, meter)
    }

    /// Decides for every input. Should the request be given up, so is all that is left of it.
    async fn run(self: &Arc<Self>, prepared: &Arc<PreparedQuestion>) -> Vec<(usize, Outcome)> {
        let workers = Handle::current().metrics().num_workers().min(self.inputs.len());
        let mut work: JoinSet<_> = (0..workers).map(|_| self.clone().work(prepared.clone())).collect();
        let mut outcomes = Vec::with_capacity(self.inputs.len());
        while let Some(done) = work.join_next().await {
            match done {
                Ok(some) => outcomes.extend(some),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                // The runtime ends, and the request with it.
                Err(_) => {}
            }
        }
        outcomes.sort_unstable_by_key(|(index, _)| *index);
        outcomes
    }

    /// Takes one input after the other, until there are none left or nobody waits.
    async fn work(self: Arc<Self>, prepared: Arc<PreparedQuestion>) -> Vec<(usize, Outcome)> {
        let mut outcomes = Vec::new();
        let mut turn = Instant::now();
        while !self.call.cancel.is_given() {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some((_, input)) = self.inputs.get(index) else { break };
            outcomes.push((index, self.decide(&prepared, input)));
            if turn.elapsed() > TURN {
                tokio::task::yield_now().await;
                turn = Instant::now();
            }
        }
        outcomes
    }

    fn decide(&self, prepared: &PreparedQuestion, input: &Value) -> Outcome {
        let mut meter = Meter::start(wants_metrics(&self.call) || self.api.decider.measures());
        let input = self.common.as_ref().map_or_else(|| input.clone(), |common| merge::merged(common, input));
        let one = DecisionInput { path: self.call.below(), input: Some(input), batch: self.id.as_deref() };
        let answered = self.api.decider.answer(&self.call, prepared, one, &mut meter);
        let (id, document) = match answered {
            Ok(Answer { id, document }) => (id, document.map_err(ApiError::of_item)),
            Err(unrecorded) => (None, Err(unrecorded)),
        };
        Outcome { id, document, metrics: meter.to_value() }
    }

    /// The answer: 200 if every decision was made, 500 if none was, 207 if some were.
    fn respond(
        &self,
        prepared: &PreparedQuestion,
        outcomes: Vec<(usize, Outcome)>,
        meter: &Meter,
        warn: bool,
    ) -> Response {
        let failures = outcomes.iter().filter(|(_, outcome)| outcome.document.is_err()).count();
        let status = match failures {
            0 => StatusCode::OK,
            all if all == outcomes.len() => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::MULTI_STATUS,
        };
        let shown = Shown {
            metrics: wants_metrics(&self.call),
            provenance: self.call.params().flag("provenance").then(|| provenance(&self.api, &prepared.snapshot)),
            status: status == StatusCode::MULTI_STATUS,
        };
        let key = |index: usize| self.inputs[index].0.as_str().unwrap_or_default().to_owned();
        let responses: Vec<_> =
            outcomes.into_iter().map(|(index, outcome)| (key(index), outcome.shown(&shown))).collect();
        let mut fields = Vec::with_capacity(4);
        fields.extend(self.call.params().flag("metrics").then(|| ("metrics", Json::from(meter.to_value()))));
        fields.extend((!responses.is_empty()).then_some(("responses", Json::Map(responses))));
        fields.extend(warn.then(|| ("warning", usage_warning(NO_INPUTS))));
        fields.extend(self.id.as_ref().map(|id| ("batch_decision_id", Json::from(id))));
        answer::json(status, &Json::Object(fields), self.call.is_pretty())
    }
}

/// What the answer shows of every outcome.
struct Shown {
    metrics: bool,
    provenance: Option<Json>,
    /// Whether outcomes differ, so that each has to say how it went.
    status: bool,
}

impl Outcome {
    fn shown(self, shown: &Shown) -> Json {
        let status = |status: &str| shown.status.then(|| ("http_status_code", Json::from(status)));
        let mut fields = Vec::with_capacity(4);
        fields.extend(self.id.map(|id| ("decision_id", Json::from(id))));
        match self.document {
            Ok(document) => {
                fields.extend(shown.provenance.clone().map(|provenance| ("provenance", provenance)));
                fields.extend(shown.metrics.then(|| ("metrics", Json::from(self.metrics))));
                fields.extend(document.map(|document| ("result", Json::from(document))));
                fields.extend(status("200"));
            }
            Err(error) => {
                fields.extend(status("500"));
                fields.extend(error.into_fields());
            }
        }
        Json::Object(fields)
    }
}
