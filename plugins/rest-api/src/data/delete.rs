//! `DELETE /v1/data/{path}`: a document goes.

use regent_core::Value;
use regent_core::store::StoreError;
use regent_core::value::Path;

use super::{start, written};
use crate::answer::Response;
use crate::call::Call;
use crate::context::ApiContext;
use crate::error::ApiError;
use crate::reference;

/// Removes the document.
pub(crate) async fn answer(api: &ApiContext, call: &Call) -> Result<Response, ApiError> {
    let meter = start(api, call);
    let path = reference::written(call.below())?;
    let removed = api.host.store.write(move |transaction| {
        transaction.require_unowned(&path)?;
        require_index(transaction.data(), &path)?;
        transaction.remove(&path)
    });
    removed.await.map_err(|error| ApiError::of_data(&error))?;
    Ok(written(call, meter))
}

/// OPA looks before it removes, and a look at `-`, which a patch may use for the end of an array, finds nothing.
fn require_index(data: &Value, path: &Path) -> Result<(), StoreError> {
    let (parent, last) = path.segments().split_at(path.len().saturating_sub(1));
    let at_the_end = last.iter().any(|last| &**last == "-");
    if at_the_end && data.at(parent).is_some_and(Value::is_array) {
        return Err(StoreError::NotFound { path: path.clone(), reason: "array index must be integer" });
    }
    Ok(())
}
