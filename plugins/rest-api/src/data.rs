//! The Data API: documents are read, decided and written below `/v1/data`.

pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod patch;
pub(crate) mod post;
pub(crate) mod put;

use std::fmt::Display;

use http::StatusCode;
use regent_core::Value;
use regent_core::store::Snapshot;

use crate::answer::{self, Json, Response};
use crate::call::Call;
use crate::context::ApiContext;
use crate::decide::{Decision, Endpoint, Meter, Options, Question};
use crate::document::first_value;
use crate::error::ApiError;

/// What clients are told when they forget to wrap the input.
const NO_INPUT: &str = "'input' key missing from the request";

/// Starts to measure if the client or a record wants it.
fn start(api: &ApiContext, call: &Call) -> Meter {
    Meter::start(wants_metrics(call) || api.decider.measures())
}

/// Whether the answer shall tell what the decision cost.
pub(crate) fn wants_metrics(call: &Call) -> bool {
    let params = call.params();
    params.flag("metrics") || params.flag("instrument")
}

/// Decides the document that the path names.
fn decide(
    api: &ApiContext,
    call: &Call,
    endpoint: Endpoint,
    input: Option<Value>,
    meter: &mut Meter,
) -> Result<Decision, ApiError> {
    let params = call.params();
    if params.wants_explanation() {
        return Err(api.refuse_explanation());
    }
    let options = Options { strict: params.flag("strict-builtin-errors"), instrument: params.flag("instrument") };
    let question = Question { endpoint, path: call.below(), options, input };
    api.decider.document(call, question, meter)
}

/// The answer to a decision, with the fields that the client asked for.
fn decided(api: &ApiContext, call: &Call, decision: Decision, meter: &Meter, warn: bool) -> Response {
    let mut fields = Vec::with_capacity(2);
    fields.extend(decision.id.as_ref().map(|id| ("decision_id", Json::from(id))));
    if call.params().flag("provenance") {
        fields.push(("provenance", provenance(api, &decision.snapshot)));
    }
    if wants_metrics(call) {
        fields.push(("metrics", Json::from(meter.to_value())));
    }
    fields.extend(decision.document.map(|document| ("result", Json::from(document))));
    if warn {
        fields.push(("warning", usage_warning(NO_INPUT)));
    }
    answer::fields(fields, call.is_pretty())
}

/// Tells a client that it has most likely not asked what it meant to.
pub(crate) fn usage_warning(message: &'static str) -> Json {
    Json::Object(vec![("code", "api_usage_warning".into()), ("message", message.into())])
}

/// The build of the agent and the revisions of the policies that have decided.
pub(crate) fn provenance(api: &ApiContext, snapshot: &Snapshot) -> Json {
    let build = &api.build;
    let mut fields = vec![
        ("version", Json::from(&build.version)),
        ("build_commit", Json::from(&build.commit)),
        ("build_timestamp", Json::from(&build.timestamp)),
        ("build_hostname", Json::from(&build.hostname)),
    ];
    let bundles = snapshot.bundles();
    if let Some(legacy) = api.host.status.report().legacy_bundle {
        let revision = bundles.get(&*legacy).and_then(|bundle| bundle.revision.as_deref());
        fields.extend(revision.filter(|text| !text.is_empty()).map(|text| ("revision", Json::from(text))));
    } else if !bundles.is_empty() {
        let revision =
            |revision: &Option<String>| Value::object([("revision", revision.as_deref().unwrap_or_default())]);
        let shown = bundles.iter().map(|(name, bundle)| (name.clone(), revision(&bundle.revision)));
        fields.push(("bundles", Json::from(Value::object(shown))));
    }
    Json::Object(fields)
}

/// The JSON document of a write. Only the first one counts, and YAML does not.
fn written_document(body: &[u8], meter: &mut Meter) -> Result<Value, ApiError> {
    let decoded = meter.metrics.time("timer_rego_input_parse_ns", |_| first_value(body));
    decoded.map(|(value, _)| value).map_err(malformed)
}

fn malformed(why: impl Display) -> ApiError {
    ApiError::invalid_parameter(why.to_string())
}

/// The answer to a write that succeeded. Neither `pretty` nor `instrument` means anything to writes.
fn written(call: &Call, mut meter: Meter) -> Response {
    if !call.params().flag("metrics") {
        return answer::empty(StatusCode::NO_CONTENT);
    }
    meter.finish();
    answer::fields(vec![("metrics", Json::from(meter.to_value()))], false)
}
