//! `GET /v1/data/{path}`: a document, with the input in a parameter.

use regent_core::Value;
use regent_core::value::{DecodeError, decode};

use super::{decide, decided, start};
use crate::answer::Response;
use crate::call::Call;
use crate::context::ApiContext;
use crate::decide::Endpoint;
use crate::document::first_value;
use crate::error::ApiError;

/// Answers with the document that the path names.
pub(crate) fn answer(api: &ApiContext, call: &Call) -> Result<Response, ApiError> {
    let mut meter = start(api, call);
    let input = meter.metrics.time("timer_rego_input_parse_ns", |_| input(call))?;
    let decision = decide(api, call, Endpoint::Get, input, &mut meter)?;
    Ok(decided(api, call, decision, &meter, false))
}

fn input(call: &Call) -> Result<Option<Value>, ApiError> {
    let Some(text) = call.params().last("input") else { return Ok(None) };
    let refused = |why| ApiError::invalid_parameter(format!("parameter contains malformed input document: {why}"));
    whole(text.as_bytes()).map(Some).map_err(refused)
}

/// Reads all of the text. OPA looks for a second document behind the first one, which shows in the error.
fn whole(text: &[u8]) -> Result<Value, DecodeError> {
    let (value, end) = first_value(text)?;
    match first_value(&text[end..]) {
        Err(DecodeError::Empty) => Ok(value),
        Err(error) => Err(error),
        // Two documents; the decoder finds the words.
        Ok(_) => decode(text),
    }
}
