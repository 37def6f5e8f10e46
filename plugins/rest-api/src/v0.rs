//! Webhooks: the body is the input, the answer is the bare document. `POST /v0/data` and `POST /`.

use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use regent_core::Value;
use regent_core::value::Path;

use crate::answer::{self, Json, Response};
use crate::call::Call;
use crate::context::ApiContext;
use crate::decide::{Endpoint, Meter, Options, Question};
use crate::document;
use crate::error::ApiError;

/// Answers with the document that the path names.
pub(crate) async fn data(api: &ApiContext, call: &mut Call) -> Result<Response, ApiError> {
    let (input, mut meter) = input(api, call).await?;
    decide(api, call, Endpoint::V0, call.below(), input, &mut meter)
}

/// Answers with the default decision.
pub(crate) async fn index(api: &ApiContext, call: &mut Call) -> Result<Response, ApiError> {
    let (input, mut meter) = input(api, call).await?;
    let path = escaped(&api.host.settings().default_decision);
    decide(api, call, Endpoint::Index, &path, input, &mut meter)
}

/// Nothing at all is null here, and null is an input like any other.
async fn input(api: &ApiContext, call: &mut Call) -> Result<(Value, Meter), ApiError> {
    let refused = |error: ApiError| error.within("unexpected parse error for input");
    let mut meter = Meter::start(api.decider.measures());
    if let Some(document) = call.document.take() {
        return Ok((document, meter));
    }
    let yaml = call.is_yaml();
    let body = call.unpacked_body(api.limits).await.map_err(refused)?;
    let input = meter.metrics.time("timer_rego_input_parse_ns", |_| document::document(&body, yaml));
    let malformed = |why| ApiError::invalid_parameter(format!("body contains malformed input document: {why}"));
    let input = input.map_err(|why| refused(malformed(why)))?;
    Ok((input.unwrap_or_default(), meter))
}

fn decide(
    api: &ApiContext,
    call: &Call,
    endpoint: Endpoint,
    path: &str,
    input: Value,
    meter: &mut Meter,
) -> Result<Response, ApiError> {
    let question = Question { endpoint, path, options: Options::default(), input: Some(input) };
    let decision = api.decider.document(call, question, meter)?;
    match decision.document {
        Some(document) => Ok(answer::json(StatusCode::OK, &Json::from(document), call.is_pretty())),
        None => Err(ApiError::undefined(&decision.snapshot, &decision.path)),
    }
}

/// Characters that a segment cannot hold as they are. Records show the path in this form.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~');

fn escaped(path: &Path) -> String {
    let escape = |segment| utf8_percent_encode(segment, UNSAFE).to_string();
    path.segments().iter().map(|segment| escape(segment)).collect::<Vec<_>>().join("/")
}
