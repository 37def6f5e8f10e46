//! What happens around every call, one layer for each concern, from the outside in:
//!
//! `log` (request lines) → `measure` (durations) → `trace` (spans) → `canonical` (redirects, HEAD) → `authenticate` (who asks) →
//! `authorize` (whether they may) → `compress` (gzip) → the API

mod authenticate;
mod authorize;
mod canonical;
mod compress;
mod log;
mod measure;
mod trace;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower::{Layer, Service};

use crate::answer::Response;
use crate::api::Api;
use crate::call::{Answering, Answers, Call};
use authenticate::Authenticate;
pub use authenticate::Authentication;
use authorize::Authorize;
pub use authorize::{Authorization, authorization_schema};
use canonical::Canonical;
use compress::Compress;
use log::Log;
use measure::Measure;
use trace::Trace;

/// A concern around calls, written as one asynchronous function.
pub(crate) trait Around: Send + Sync + 'static {
    /// Answers the call, as a rule with the help of `next`.
    fn answer<S: Answers + Send>(&self, call: Call, next: S) -> impl Future<Output = Response> + Send;
}

/// The layer that a concern makes.
struct Layered<A>(Arc<A>);

impl<A, S> Layer<S> for Layered<A> {
    type Service = Wrapped<A, S>;

    fn layer(&self, next: S) -> Wrapped<A, S> {
        Wrapped { around: self.0.clone(), next }
    }
}

/// A service within a concern.
pub(crate) struct Wrapped<A, S> {
    around: Arc<A>,
    next: S,
}

impl<A, S: Clone> Clone for Wrapped<A, S> {
    fn clone(&self) -> Self {
        Self { around: self.around.clone(), next: self.next.clone() }
    }
}

impl<A: Around, S: Answers + Clone + Send + 'static> Service<Call> for Wrapped<A, S> {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    /// Always ready: limits are a matter of the layers' answers.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Answering {
        let Self { around, next } = self.clone();
        Box::pin(async move { Ok(around.answer(call, next).await) })
    }
}

/// What `next` answers.
async fn pass(call: Call, mut next: impl Answers) -> Response {
    let Ok(response) = next.call(call).await;
    response
}

/// Who may come in, and how they show that they may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doors {
    pub(crate) authentication: Authentication,
    pub(crate) authorization: Authorization,
}

/// The API within all its layers.
pub(crate) fn stack(api: &Api, doors: Doors) -> impl Answers + Clone + Send + Sync + 'static {
    let parts = &api.parts;
    let authorizes = doors.authorization == Authorization::Basic;
    let log = layered(Log { limits: parts.limits });
    let measure = layered(Measure::new(parts.host.telemetry.clone(), authorizes));
    let trace = Trace(parts.host.tracing.clone());
    let canonical = layered(Canonical { limits: parts.limits });
    let authenticate =
        (doors.authentication != Authentication::Off).then(|| layered(Authenticate(doors.authentication)));
    let authorize = authorizes.then(|| layered(Authorize(parts.clone())));
    let compress = layered(Compress(parts.config.compression()));
    let inner = within(authorize, compress.layer(api.clone()));
    log.layer(measure.layer(trace.layer(canonical.layer(within(authenticate, inner)))))
}

fn layered<A: Around>(around: A) -> Layered<A> {
    Layered(Arc::new(around))
}

/// A service within a concern that is not everyone's; without it, it costs nothing.
enum Perhaps<A, S> {
    Within(Wrapped<A, S>),
    Bare(S),
}

impl<A, S: Clone> Clone for Perhaps<A, S> {
    fn clone(&self) -> Self {
        match self {
            Self::Within(service) => Self::Within(service.clone()),
            Self::Bare(service) => Self::Bare(service.clone()),
        }
    }
}

fn within<A, S>(layer: Option<Layered<A>>, next: S) -> Perhaps<A, S> {
    match layer {
        Some(layer) => Perhaps::Within(layer.layer(next)),
        None => Perhaps::Bare(next),
    }
}

impl<A: Around, S: Answers + Clone + Send + 'static> Service<Call> for Perhaps<A, S> {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Answering {
        match self {
            Self::Within(service) => service.call(call),
            Self::Bare(service) => service.call(call),
        }
    }
}
