//! A panic ends the request it happened in and nothing else.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use crate::answer::Response;
use crate::error::ApiError;
use crate::route::Route;

/// What the work gives; nothing if it panics. What it shared with others is behind locks and cells that a panic does
/// not leave in between.
pub(crate) fn caught<T>(work: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
    // No `async fn`: that would hold the work twice, as what it is given and as what it waits for.
    AssertUnwindSafe(work).catch_unwind().map(Result::ok)
}

/// The answer to a request that panicked. The panic itself is not repeated: it could show what the request held.
pub(crate) fn answer(request: u64, route: Route) -> Response {
    tracing::error!(
        req_id = request,
        handler = route.handler(),
        "A request ended in a panic, which is a mistake in the agent."
    );
    ApiError::internal("the agent failed to answer").into_response()
}
