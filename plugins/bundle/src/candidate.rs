//! A bundle that was loaded and may become active.

use regent_core::metrics::Metrics;
use regent_core::store::{BundleContent, BundlePayload};

/// A loaded bundle. It may be tried several times, so it gives out copies, which are cheap.
pub struct Candidate {
    content: BundleContent,
    /// What of it is not made use of, for people.
    pub warnings: Vec<String>,
    /// What the load cost.
    pub metrics: Metrics,
}

impl Candidate {
    pub(crate) fn new(content: BundleContent, warnings: Vec<String>, metrics: Metrics) -> Self {
        Self { content, warnings, metrics }
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

    /// Whether it consists of changes to another version.
    pub fn is_delta(&self) -> bool {
        matches!(self.content.payload, BundlePayload::Delta(_))
    }

    /// `snapshot` or `delta`.
    pub fn kind(&self) -> &'static str {
        if self.is_delta() { "delta" } else { "snapshot" }
    }
}
