//! The prepared query for the policy that authorizes requests.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use regent_core::engine::{PreparedQuery, Query};
use regent_core::store::Snapshot;
use regent_core::value::Path;

use super::aside::Placement;
use crate::error::ApiError;

/// The query as it was prepared for one state.
pub(super) struct AuthorizationQuery {
    generation: u64,
    path: Path,
    pub(super) prepared: Arc<dyn PreparedQuery>,
    pub(super) placement: Placement,
}

/// Keeps the last prepared query: every request asks the same.
#[derive(Default)]
pub(super) struct Authorizations(ArcSwapOption<AuthorizationQuery>);

impl Authorizations {
    /// The query for the document at that path, prepared now if state or path are new.
    pub(super) fn find(&self, snapshot: &Snapshot, path: &Path) -> Result<Arc<AuthorizationQuery>, ApiError> {
        let generation = snapshot.generation();
        let known = self.0.load();
        if let Some(known) = known.as_ref().filter(|known| known.generation == generation && known.path == *path) {
            return Ok(known.clone());
        }
        let query = snapshot.prepare(&Query::Document(path.clone())).map_err(ApiError::of_document)?;
        let prepared = Arc::new(AuthorizationQuery {
            generation,
            path: path.clone(),
            prepared: query,
            placement: Placement::default(),
        });
        self.0.store(Some(prepared.clone()));
        Ok(prepared)
    }
}
