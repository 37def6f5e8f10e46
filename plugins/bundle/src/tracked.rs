//! What the plugin knows of one configured bundle.

use std::sync::Arc;
use std::time::Instant;

use regent_core::metrics::Metrics;
use regent_core::status::{BundleStatus, Freshness, Moment};
use regent_core::store::ActiveBundle;
use regent_core::trigger::{Fetched, Outcome};
use tokio::sync::oneshot;

use crate::asking::Verdict;
use crate::candidate::Candidate;
use crate::config::BundleConfig;
use crate::error::LoadError;
use crate::loader::{Loader, Origin};

/// A version that is newer than the active one.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) candidate: Arc<Candidate>,
    origin: Origin,
    /// When it came.
    came: Instant,
}

/// A configured bundle.
pub(crate) struct Tracked {
    pub(crate) config: BundleConfig,
    pub(crate) loader: Loader,
    pub(crate) status: BundleStatus,
    /// Whether a version of it has been active since it was configured.
    pub(crate) settled: bool,
    /// What waits for its activation, or for others to change.
    pub(crate) loaded: Option<Loaded>,
    /// How old the active version is.
    freshness: Freshness,
    /// Whether it was too old when that was last looked at.
    pub(crate) stale: bool,
    /// The loader that waits for what becomes of the candidate.
    waiting: Option<oneshot::Sender<Verdict>>,
}

impl Tracked {
    pub(crate) fn new(config: BundleConfig, loader: Loader, mut status: BundleStatus) -> Self {
        let limit = config.max_staleness;
        let freshness = status.freshness.map_or_else(|| Freshness::starting(limit), |known| known.limited(limit));
        status.freshness = Some(freshness);
        Self { config, loader, status, settled: false, loaded: None, freshness, stale: false, waiting: None }
    }

    /// The status of a bundle that nothing is known of but what may already be active under its name.
    pub(crate) fn first_status(name: &str, active: Option<&ActiveBundle>) -> BundleStatus {
        let revision = active.and_then(|bundle| bundle.revision.clone()).filter(|revision| !revision.is_empty());
        BundleStatus { name: name.to_owned(), active_revision: revision, ..BundleStatus::default() }
    }

    /// Whether this is its candidate still.
    pub(crate) fn has(&self, loaded: &Loaded) -> bool {
        self.loaded.as_ref().is_some_and(|mine| Arc::ptr_eq(&mine.candidate, &loaded.candidate))
    }

    pub(crate) fn waits(&self) -> bool {
        self.waiting.is_some()
    }

    /// Notes that what is active was, at that time, the newest that the service has.
    fn confirmed(&mut self, at: Instant) {
        self.freshness = self.freshness.confirmed(at);
        self.status.freshness = Some(self.freshness);
    }

    /// When it will be too old, unless it is already known to be.
    pub(crate) fn stale_at(&self) -> Option<Instant> {
        self.freshness.stale_at().filter(|_| !self.stale)
    }

    /// Looks whether it is too old, and says so when that has changed.
    pub(crate) fn look_at_age(&mut self) {
        let stale = self.freshness.is_stale();
        if stale == self.stale {
            return;
        }
        self.stale = stale;
        let name = &self.status.name;
        if stale {
            let limit = self.config.max_staleness.unwrap_or_default();
            let why = format!("its service has not confirmed the active version for {limit:?} (max_staleness_seconds)");
            tracing::error!(name, plugin = "bundle", "Bundle is stale: {why}.");
        } else {
            tracing::info!(name, plugin = "bundle", "Bundle is no longer stale.");
        }
    }

    /// Notes that the service was asked.
    pub(crate) fn requested(&mut self) {
        self.status.last_request = Moment::now();
    }

    /// Notes that nothing could be loaded, or nothing kept. The `ETag` stays that of what is active.
    pub(crate) fn failed(&mut self, error: &LoadError, origin: Origin, verdict: oneshot::Sender<Verdict>) {
        let name = &self.status.name;
        match origin {
            Origin::Source => tracing::error!(name, plugin = "bundle", "Bundle load failed: {error}"),
            Origin::Disk => tracing::error!(name, plugin = "bundle", "Failed to load bundle from disk: {error}"),
            Origin::Kept => tracing::error!(name, plugin = "bundle", "Persisting bundle to disk failed: {error}"),
        }
        error.note(&mut self.status);
        let _ = verdict.send(Err(error.failure()));
    }

    /// Notes that the service has nothing newer than what is active.
    pub(crate) fn not_modified(&mut self, etag: Option<String>, is_active: bool, verdict: oneshot::Sender<Verdict>) {
        let name = &self.status.name;
        tracing::debug!(name, plugin = "bundle", "Bundle load skipped, server replied with not modified.");
        if let Some(etag) = etag {
            self.loader.set_etag(&etag);
        }
        self.status.last_successful_request = self.status.last_request;
        self.loaded = None;
        self.settled |= is_active;
        if is_active {
            self.confirmed(Instant::now());
        }
        self.clear_error();
        let _ = verdict.send(Ok(self.fetched(Outcome::Unchanged)));
    }

    /// Notes that the service has no bundle at the moment, and forgets which one it had.
    pub(crate) fn nothing(&mut self, verdict: oneshot::Sender<Verdict>) {
        self.status.last_successful_request = self.status.last_request;
        self.loader.set_etag("");
        self.clear_error();
        let _ = verdict.send(Ok(self.fetched(Outcome::Unchanged)));
    }

    /// Takes a candidate.
    pub(crate) fn take(
        &mut self,
        candidate: Candidate,
        origin: Origin,
        size: Option<u64>,
        verdict: oneshot::Sender<Verdict>,
    ) {
        let status = &mut self.status;
        if origin == Origin::Source {
            status.last_successful_request = status.last_request;
            status.last_successful_download = status.last_request;
        }
        status.kind = Some(candidate.kind());
        status.size = size;
        status.metrics = Some(candidate.metrics.to_value());
        self.loaded = Some(Loaded { candidate: Arc::new(candidate), origin, came: Instant::now() });
        self.waiting = Some(verdict);
    }

    /// Notes what is active now, and what that cost. Meanwhile the service may have taken it back, or sent what is newer:
    /// that goes on waiting.
    pub(crate) fn activated(&mut self, loaded: &Loaded, cost: Metrics) {
        let Loaded { candidate, origin, came } = loaded;
        let (name, etag) = (&self.status.name, candidate.etag());
        if *origin == Origin::Disk {
            tracing::debug!(name, plugin = "bundle", "Bundle loaded from disk and activated successfully.");
        } else if etag.is_empty() {
            tracing::info!(name, plugin = "bundle", "Bundle loaded and activated successfully.");
        } else {
            let message = format!("Bundle loaded and activated successfully. Etag updated to {etag}.");
            tracing::info!(name, plugin = "bundle", "{message}");
        }
        self.loader.set_etag(etag);
        self.settled = true;
        if *origin == Origin::Source {
            self.confirmed(*came);
        }
        self.warn(candidate);
        self.status.active_revision = Some(candidate.revision().to_owned()).filter(|revision| !revision.is_empty());
        self.status.last_successful_activation = Moment::now();
        self.clear_error();
        if self.loaded.is_some() && !self.has(loaded) {
            return;
        }
        let mut metrics = candidate.metrics.clone();
        metrics.absorb(cost);
        self.status.metrics = Some(metrics.to_value());
        self.loaded = None;
        self.answer(Ok(self.fetched(Outcome::Activated)));
    }

    /// Notes what of the new version is not made use of, and says so once. Changes to a version leave that as it is.
    fn warn(&mut self, candidate: &Candidate) {
        if candidate.is_delta() || self.status.warnings == candidate.warnings {
            return;
        }
        self.status.warnings.clone_from(&candidate.warnings);
        for warning in &candidate.warnings {
            tracing::warn!(name = self.status.name, plugin = "bundle", "Bundle: {warning}.");
        }
    }

    /// Notes that the candidate does not fit. It stays, for others may change.
    pub(crate) fn refused(&mut self, error: &LoadError) {
        tracing::error!(name = self.status.name, plugin = "bundle", "Bundle activation failed: {error}");
        error.note(&mut self.status);
        self.answer(Err(error.failure()));
    }

    fn fetched(&self, outcome: Outcome) -> Fetched {
        Fetched { outcome, revision: self.status.active_revision.clone(), warning: None }
    }

    fn answer(&mut self, verdict: Verdict) {
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.send(verdict);
        }
    }

    fn clear_error(&mut self) {
        let status = &mut self.status;
        (status.code, status.message, status.errors, status.http_code) = (None, None, None, None);
    }
}
