//! Partial evaluation and data filters, which no engine offers yet.

use crate::answer::Response;
use crate::call::Call;
use crate::context::ApiContext;
use crate::error::ApiError;

/// Says that the engine cannot evaluate partially, once the body has been read.
pub(crate) async fn answer(api: &ApiContext, call: &mut Call) -> Result<Response, ApiError> {
    call.sent_body(api.limits).await?;
    let unpacked = call.unpacked_body(api.limits).await;
    unpacked.map_err(|_| ApiError::invalid_parameter("could not decompress the body"))?;
    Err(api.unsupported("partial evaluation (the Compile API)"))
}
