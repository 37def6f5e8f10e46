//! Partial evaluation and data filters, which no engine offers yet.

use regent_core::engine::Unsupported;

use crate::answer::Response;
use crate::api::Parts;
use crate::call::Call;
use crate::error::ApiError;

/// Says that the engine cannot evaluate partially, once the body has been read.
pub(crate) async fn answer(api: &Parts, call: &mut Call) -> Result<Response, ApiError> {
    call.sent_body(api.limits).await?;
    let unpacked = call.unpacked_body(api.limits).await;
    unpacked.map_err(|_| ApiError::invalid_parameter("could not decompress the body"))?;
    Err(unsupported(api, "partial evaluation (the Compile API)"))
}

/// Says that the engine cannot explain its answers.
pub(crate) fn refuse_explanation(api: &Parts) -> ApiError {
    unsupported(api, "explanations (the `explain` parameter)")
}

fn unsupported(api: &Parts, feature: &str) -> ApiError {
    let engine = api.host.store.engine().name();
    ApiError::invalid_operation(Unsupported { engine, feature: feature.to_owned() }.to_string())
}
