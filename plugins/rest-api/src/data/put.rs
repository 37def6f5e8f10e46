//! `PUT /v1/data/{path}`: a document takes the place of what was there.

use http::StatusCode;
use http::header::IF_NONE_MATCH;

use super::{start, written, written_document};
use crate::answer::{self, Response};
use crate::call::Call;
use crate::context::ApiContext;
use crate::error::ApiError;
use crate::reference;

/// Stores the document, and the parents that are missing.
pub(crate) async fn answer(api: &ApiContext, call: &mut Call) -> Result<Response, ApiError> {
    let mut meter = start(api, call);
    let body = call.sent_body(api.limits).await?;
    let document = written_document(body, &mut meter)?;
    let path = reference::written(call.below())?;
    let only_new = call.head.headers.get(IF_NONE_MATCH).is_some_and(|value| value == "*");
    let stored = api.host.store.write(move |transaction| {
        transaction.require_unowned(&path)?;
        if only_new && transaction.data().at(path.segments()).is_some() {
            return Ok(false);
        }
        transaction.put(&path, document)?;
        Ok(true)
    });
    if stored.await.map_err(|error| ApiError::of_data(&error))? {
        Ok(written(call, meter))
    } else {
        Ok(answer::empty(StatusCode::NOT_MODIFIED))
    }
}
