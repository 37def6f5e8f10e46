//! The prepared query for the policy that authorizes requests.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use regent_core::engine::{PreparedQuery, Query};
use regent_core::store::Snapshot;
use regent_core::value::Path;

use super::aside::Trust;
use crate::error::ApiError;

/// The query as it was prepared for one state.
pub(super) struct Prepared {
    generation: u64,
    path: Path,
    pub(super) query: Arc<dyn PreparedQuery>,
    pub(super) trust: Trust,
}

/// Keeps the last prepared query: every request asks the same.
#[derive(Default)]
pub(super) struct Authorizations(ArcSwapOption<Prepared>);

impl Authorizations {
    /// The query for the document at that path, prepared now if state or path are new.
    pub(super) fn find(&self, snapshot: &Snapshot, path: &Path) -> Result<Arc<Prepared>, ApiError> {
        let generation = snapshot.generation();
        let known = self.0.load();
        if let Some(known) = known.as_ref().filter(|known| known.generation == generation && known.path == *path) {
            return Ok(known.clone());
        }
        let query = snapshot.prepare(&Query::Document(path.clone())).map_err(ApiError::of_document)?;
        let prepared = Arc::new(Prepared { generation, path: path.clone(), query, trust: Trust::default() });
        self.0.store(Some(prepared.clone()));
        Ok(prepared)
    }
}
