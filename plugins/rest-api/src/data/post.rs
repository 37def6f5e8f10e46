//! `POST /v1/data/{path}`: a document, with the input in the body. The path that has to be fast.

use regent_core::Value;
use regent_core::value::Parted;

use super::{decide, decided, start};
use crate::answer::Response;
use crate::call::Call;
use crate::context::ApiContext;
use crate::decide::Endpoint;
use crate::document;
use crate::envelope;
use crate::error::ApiError;

/// Answers with the document that the path names, and a warning if the body has no input.
pub(crate) async fn answer(api: &ApiContext, call: &mut Call) -> Result<Response, ApiError> {
    let mut meter = start(api, call);
    let input = if let Some(document) = call.document.take() {
        known_input(&document)
    } else {
        let yaml = call.is_yaml();
        let body = call.unpacked_body(api.limits).await?;
        meter.metrics.time("timer_rego_input_parse_ns", |_| input(&body, yaml))?
    };
    let warn = input.is_none();
    let decision = decide(api, call, Endpoint::Post, input, &mut meter)?;
    Ok(decided(api, call, decision, &meter, warn))
}

/// The input in a document that was read for authorization, which OPA takes less leniently: by its exact name, null too.
fn known_input(document: &Value) -> Option<Value> {
    document.as_object()?.get_str("input").cloned()
}

fn input(body: &[u8], yaml: bool) -> Result<Option<Value>, ApiError> {
    let refused = |why| ApiError::invalid_parameter(format!("body contains malformed input document: {why}"));
    match document::parted(body, yaml).map_err(|error| refused(error.to_string()))? {
        None => Ok(None),
        Some(Parted::Fields(fields)) => Ok(envelope::last_field(fields.into_iter(), "input")),
        Some(Parted::Whole(null)) if null.is_null() => Ok(None),
        Some(Parted::Whole(envelope)) if envelope.is_object() => Ok(envelope::field(&envelope, "input").cloned()),
        Some(Parted::Whole(other)) => Err(refused(envelope::not_a(&other, "types.DataRequestV1"))),
    }
}
