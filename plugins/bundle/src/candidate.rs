//! A bundle that was loaded and may become active.

use regent_core::metrics::Metrics;
use regent_core::store::{BundleContent, BundlePayload};

/// A loaded bundle. It may be tried several times, so it gives out copies, which are cheap.
pub struct Candidate {
    content: BundleContent,
    /// What the load cost.
    pub metrics: Metrics,
}

impl Candidate {
    pub(crate) fn new(content: BundleContent, metrics: Metrics) -> Self {
        Self { content, metrics }
    }

    /// The manifest's revision, empty if it has none.
    pub fn revision(&self) -> &str {
        self.content.bundle.revision.as_deref().unwrap_or_default()
    }

    /// The `ETag` that it came with, empty if it has none.
    pub fn etag(&self) -> &str {
        self.content.bundle.etag.as_deref().unwrap_or_default()
    }

    /// A copy for the store.
    pub fn content(&self) -> BundleContent {
        self.content.clone()
    }

    /// `snapshot` or `delta`.
    pub fn kind(&self) -> &'static str {
        match self.content.payload {
            BundlePayload::Snapshot { .. } => "snapshot",
            BundlePayload::Delta(_) => "delta",
        }
    }
}
