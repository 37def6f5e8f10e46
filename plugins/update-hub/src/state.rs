//! What the endpoints and peers of a hub share.

use std::sync::Arc;

use axum::http::HeaderMap;
use jiff::Timestamp;
use regent_core::Error;
use regent_core::telemetry::Telemetry;

use crate::access::{Authority, Identity, TokenRefused};
use crate::backbone::Backbone;
use crate::config::HubConfig;
use crate::directory::Directory;
use crate::exchange::ExchangeHandle;
use crate::load::Load;
use crate::policy::Policy;
use crate::publication::Record;
use crate::refusals::Refusals;
use crate::reports::Reports;
use crate::stats::Stats;

/// What the endpoints and peers of a hub share.
pub(crate) struct HubState {
    pub(crate) config: HubConfig,
    /// Absent if nothing is checked.
    pub(crate) authority: Option<Authority>,
    pub(crate) exchange: ExchangeHandle,
    pub(crate) backbone: Arc<Backbone>,
    /// Absent if it has none.
    pub(crate) policy: Option<Policy>,
    pub(crate) directory: Directory,
    pub(crate) load: Load,
    pub(crate) refusals: Refusals,
    pub(crate) reports: Reports,
    pub(crate) stats: Stats,
    pub(crate) telemetry: Telemetry,
    pub(crate) started: Timestamp,
    /// What it is called among servers.
    pub(crate) worker: String,
}

impl HubState {
    /// Who sends a request with those headers.
    ///
    /// # Errors
    /// When tokens are checked, and theirs does not count.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Result<Identity, TokenRefused> {
        self.authority.as_ref().map_or(Ok(Identity::Anyone), |authority| authority.identify(headers))
    }

    /// Publishes a record; gives its number once it is safe.
    ///
    /// # Errors
    /// When the backbone is away.
    pub(crate) async fn publish(&self, record: &Record) -> Result<u64, Error> {
        let published = self.backbone.append(&record.to_json()).await;
        match &published {
            Ok(_) => self.stats.published(),
            Err(_) => self.stats.undelivered(),
        }
        published
    }
}
