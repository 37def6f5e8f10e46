//! What happens around every call, one module for each concern, from the outside in:
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

use crate::answer::Response;
use crate::api::Api;
use crate::call::Call;
use authenticate::Authenticate;
pub use authenticate::Authentication;
use authorize::Authorize;
pub use authorize::{Authorization, authorization_schema};
use canonical::Canonical;
use compress::Compress;
use log::Log;
use measure::Measure;
use trace::Trace;

/// Who may come in, and how they show that they may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccessControl {
    pub(crate) authentication: Authentication,
    pub(crate) authorization: Authorization,
}

/// The API within all its layers.
///
/// Not a stack of tower's services, nor of futures around each other: every layer would move the call in and the answer
/// out, which costs more than some decisions do.
pub(crate) struct Stack {
    log: Log,
    measure: Measure,
    trace: Trace,
    canonical: Canonical,
    authenticate: Authenticate,
    authorize: Authorize,
    compress: Compress,
    api: Api,
}

impl Stack {
    pub(crate) fn new(api: Api, access: AccessControl) -> Self {
        let context = &api.context;
        let limits = context.limits;
        Self {
            log: Log { limits },
            measure: Measure::new(context.host.telemetry.clone(), access.authorization == Authorization::Basic),
            trace: Trace { tracing: context.host.tracing.clone() },
            canonical: Canonical { limits },
            authenticate: Authenticate { by: access.authentication },
            authorize: Authorize { by: access.authorization, api: context.clone() },
            compress: Compress { how: context.config.compression() },
            api,
        }
    }

    /// The answer to a call; there always is one. The call is lent, so that it is still there afterwards.
    pub(crate) async fn answer(&self, call: &mut Call) -> Response {
        let said = self.log.request(call).await;
        let waiting = self.measure.begin(call);
        self.trace.begin(call);
        let response = if let Some(refusal) = self.refusal(call).await {
            refusal
        } else {
            let answer = self.api.answer(call).await;
            self.compress.answer(call, answer).await
        };
        trace::end(call, &response);
        waiting.end(call, &response);
        log::answer(call, &response, said).await;
        response
    }

    /// What keeps a call from the API, if anything does.
    async fn refusal(&self, call: &mut Call) -> Option<Response> {
        if let Some(detour) = self.canonical.detour(call) {
            return Some(detour);
        }
        self.authenticate.identify(call);
        self.authorize.refusal(call).await
    }
}
