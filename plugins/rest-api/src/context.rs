//! What the routes work with.

use regent_core::Host;
use regent_core::engine::{RegoVersion, Unsupported};

use crate::config::ServerConfig;
use crate::decide::Decider;
use crate::error::ApiError;
use crate::limits::Limits;

/// Which build of the agent this is, as `?provenance` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildInfo {
    /// The agent's version.
    pub version: String,
    /// The commit that it was built from.
    pub commit: String,
    /// When it was built, in RFC 3339.
    pub timestamp: String,
    /// The machine that built it.
    pub hostname: String,
}

/// The agent, its configuration, and who decides.
pub(crate) struct ApiContext {
    pub(crate) host: Host,
    pub(crate) config: ServerConfig,
    pub(crate) limits: Limits,
    pub(crate) build: BuildInfo,
    pub(crate) version: RegoVersion,
    pub(crate) decider: Decider,
}

impl ApiContext {
    /// Says that the engine cannot explain its answers.
    pub(crate) fn refuse_explanation(&self) -> ApiError {
        self.unsupported("explanations (the `explain` parameter)")
    }

    /// Says that the engine cannot do something.
    pub(crate) fn unsupported(&self, feature: &str) -> ApiError {
        let engine = self.host.store.engine().name();
        ApiError::invalid_operation(Unsupported { engine, feature: feature.to_owned() }.to_string())
    }
}
