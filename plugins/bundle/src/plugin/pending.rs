//! The activation under way.

use std::collections::{BTreeMap, BTreeSet};

use regent_core::Store;
use regent_core::plugin::Reply;
use regent_core::service::BoxFuture;

use crate::activation::{Candidates, Outcome, activate};
use crate::tracked::Loaded;

/// An activation that has begun; there is but one at a time. Dropping it tries nothing further, while a transaction that
/// is running already ends as it would have: the store has all of it or nothing.
pub(super) struct Pending {
    /// What it is about. Meanwhile others may have taken their place.
    pub(super) loaded: BTreeMap<String, Loaded>,
    /// Whose configuration is in effect once it has settled.
    pub(super) reply: Option<Reply>,
    outcome: BoxFuture<'static, Outcome>,
}

impl Pending {
    pub(super) fn begin(
        store: Store,
        loaded: BTreeMap<String, Loaded>,
        leaving: BTreeSet<String>,
        reply: Option<Reply>,
    ) -> Self {
        let candidates: Candidates =
            loaded.iter().map(|(name, loaded)| (name.clone(), loaded.candidate.clone())).collect();
        let outcome = Box::pin(async move { activate(&store, candidates, leaving).await });
        Self { loaded, reply, outcome }
    }
}

/// Waits for what becomes of the pending activation; for ever if there is none.
pub(super) async fn settled(pending: &mut Option<Pending>) -> Outcome {
    match pending {
        Some(pending) => (&mut pending.outcome).await,
        None => std::future::pending().await,
    }
}
