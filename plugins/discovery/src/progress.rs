//! What is known of the discovery bundle, and where it is reported.

use std::time::{Duration, Instant};

use regent_bundle::{Candidate, LoadError, Origin};
use regent_core::Host;
use regent_core::status::{BundleStatus, Cause, Freshness, Moment, State};
use regent_core::steering::Accepted;
use regent_core::trigger::{Fetched, Outcome};

const NAME: &str = "discovery";

/// The status of the discovery bundle.
pub(crate) struct Progress {
    host: Host,
    status: BundleStatus,
    /// How long it may go without being confirmed.
    limit: Option<Duration>,
    /// Whether it had gone longer when that was last looked at.
    stale: bool,
}

impl Progress {
    pub(crate) fn new(host: Host, limit: Option<Duration>) -> Self {
        let freshness = Some(Freshness::starting(limit));
        let status = BundleStatus { name: NAME.to_owned(), freshness, ..BundleStatus::default() };
        Self { host, status, limit, stale: false }
    }

    /// When it will be too old, unless it is already known to be.
    pub(crate) fn stale_at(&self) -> Option<Instant> {
        self.status.freshness.and_then(|freshness| freshness.stale_at()).filter(|_| !self.stale)
    }

    /// Looks whether it is too old, and says so when that has changed.
    pub(crate) fn look_at_age(&mut self) {
        let stale = self.status.freshness.is_some_and(|freshness| freshness.is_stale());
        if stale == self.stale {
            return;
        }
        self.stale = stale;
        if stale {
            let limit = self.limit.unwrap_or_default();
            let why = format!("its service has not confirmed it for {limit:?} (max_staleness_seconds)");
            tracing::error!(plugin = NAME, "Discovered configuration is stale: {why}.");
        } else {
            tracing::info!(plugin = NAME, "Discovered configuration is no longer stale.");
        }
        self.report_state();
        self.report();
    }

    /// Ready once a configuration has been found, and as long as it is not too old.
    fn report_state(&self) {
        if self.stale {
            let message = "not confirmed by its service for longer than max_staleness_seconds";
            return self.host.report(State::Error, Some(message.to_owned()));
        }
        let found = self.status.last_successful_activation.0.is_some();
        self.host.report(if found { State::Ok } else { State::NotReady }, None);
    }

    /// Notes that the service was asked, or the copy on disk read.
    pub(crate) fn arrived(&mut self, origin: Origin, worked: bool) {
        if origin == Origin::Source {
            self.status.last_request = Moment::now();
            if worked {
                self.status.last_successful_request = self.status.last_request;
            }
        }
    }

    /// Notes that a bundle came.
    pub(crate) fn loaded(&mut self, candidate: &Candidate, origin: Origin, size: Option<u64>) {
        self.status.kind = Some(candidate.kind());
        if origin == Origin::Source {
            self.status.last_successful_download = self.status.last_successful_request;
            self.status.size = size;
        }
    }

    /// Notes that what is in effect is the newest that the service has.
    fn confirm(&mut self) {
        self.status.freshness = self.status.freshness.map(|freshness| freshness.confirmed(Instant::now()));
        self.look_at_age();
    }

    /// Notes that the service has nothing newer than what is in effect.
    pub(crate) fn not_modified(&mut self) {
        self.clear_error();
        if self.status.last_successful_activation.0.is_some() {
            self.confirm();
        }
        self.nothing_new();
    }

    /// Notes that there is nothing new, or nothing at all.
    pub(crate) fn nothing_new(&mut self) {
        tracing::debug!(plugin = NAME, "Discovery update skipped, server replied with not modified.");
        self.clear_error();
        self.report();
    }

    /// Notes that the configuration is in effect.
    pub(crate) fn accepted(&mut self, candidate: &Candidate, origin: Origin, accepted: &Accepted) {
        self.clear_error();
        self.status.active_revision = Some(candidate.revision().to_owned()).filter(|revision| !revision.is_empty());
        self.status.last_successful_activation = Moment::now();
        if origin == Origin::Source {
            self.confirm();
        }
        for warning in &candidate.warnings {
            tracing::warn!(plugin = NAME, "Discovery bundle: {warning}.");
        }
        self.status.warnings.clone_from(&candidate.warnings);
        if !accepted.overridden.is_empty() {
            let keys = accepted.overridden.join(", ");
            let text = format!("Keys in the discovered configuration overridden by boot configuration: {keys}");
            tracing::debug!(plugin = NAME, "{text}");
            self.status.message = Some(text);
        }
        match (origin, candidate.etag()) {
            (Origin::Disk, _) => {
                tracing::debug!(plugin = NAME, "Discovery bundle loaded from disk and activated successfully.");
            }
            (_, "") => tracing::info!(plugin = NAME, "Discovery update processed successfully."),
            (_, etag) => {
                tracing::info!(plugin = NAME, "Discovery update processed successfully. Etag updated to {etag}.");
            }
        }
        self.report_state();
        self.report();
    }

    /// Notes that nothing could be loaded, or nothing kept on disk.
    pub(crate) fn failed(&mut self, error: &LoadError, origin: Origin) {
        match origin {
            Origin::Source => tracing::error!(plugin = NAME, "Discovery download failed: {error}"),
            Origin::Disk => tracing::error!(plugin = NAME, "Failed to load discovery bundle from disk: {error}"),
            Origin::Kept => tracing::error!(plugin = NAME, "Persisting discovery bundle to disk failed: {error}"),
        }
        error.note(&mut self.status);
        self.report();
    }

    /// Notes that the configuration is not in effect.
    pub(crate) fn refused(&mut self, error: &LoadError) {
        tracing::error!(plugin = NAME, "Discovery reconfiguration error occurred: {error}");
        error.note(&mut self.status);
        self.report();
    }

    /// What a fetch came to, for whoever asked for it.
    pub(crate) fn fetched(&self, outcome: Outcome) -> Fetched {
        Fetched { outcome, revision: self.status.active_revision.clone(), warning: None }
    }

    fn clear_error(&mut self) {
        let status = &mut self.status;
        (status.code, status.message, status.errors, status.http_code) = (None, None, None, None);
    }

    fn report(&self) {
        self.host.status.change(Cause::Discovery, |report| report.discovery = Some(self.status.clone()));
    }
}
