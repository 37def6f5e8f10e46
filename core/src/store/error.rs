//! Why a write is refused, in OPA's words.

use crate::engine::{PolicyErrors, Unsupported};
use crate::value::Path;

/// Why a transaction came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Nothing lies at the path.
    #[error("storage_not_found_error: {path}: {reason}")]
    NotFound {
        /// Where nothing lies.
        path: Path,
        /// Which way it is missing: `document does not exist`, `array index out of range`, …
        reason: &'static str,
    },
    /// No policy has the id.
    #[error("storage_not_found_error: policy id {0:?}")]
    PolicyNotFound(String),
    /// A parent of the path is not something that can hold it.
    #[error("storage_write_conflict_error: {0}")]
    WriteConflict(Path),
    /// The patch makes no sense where it points.
    #[error("storage_invalid_patch_error: {0}")]
    InvalidPatch(String),
    /// The patch names an operation that does not exist.
    #[error("bad patch operation: {0}")]
    BadOperation(String),
    /// A bundle owns the path, or everything.
    #[error("{0}")]
    Owned(String),
    /// Base data and a rule claim one path.
    #[error("{0}")]
    RuleConflict(PolicyErrors),
    /// Modules do not parse or do not compile together.
    #[error("{0}")]
    Policy(PolicyErrors),
    /// Bundles claim the same roots, or what a bundle holds does not fit the store.
    #[error("{0}")]
    Bundle(String),
    /// The engine lacks a feature.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// A bug.
    #[error("storage_internal_error: {0}")]
    Internal(String),
}

impl StoreError {
    pub(super) fn missing(path: &Path) -> Self {
        Self::NotFound { path: path.clone(), reason: "document does not exist" }
    }
}
