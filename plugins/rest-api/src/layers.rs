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

use crate::api::Api;
use crate::call::Answers;
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
pub(crate) struct Doors {
    pub(crate) authentication: Authentication,
    pub(crate) authorization: Authorization,
}

/// The API within all its layers.
pub(crate) fn stack(api: Api, doors: Doors) -> impl Answers {
    let parts = api.parts.clone();
    let limits = parts.limits;
    let authorizes = doors.authorization == Authorization::Basic;
    let next = Compress { how: parts.config.compression(), next: api };
    let next = Authorize { by: doors.authorization, api: parts.clone(), next };
    let next = Authenticate { by: doors.authentication, next };
    let next = Canonical { limits, next };
    let next = Trace { tracing: parts.host.tracing.clone(), next };
    let next = Measure::new(parts.host.telemetry.clone(), authorizes, next);
    Log { limits, next }
}
