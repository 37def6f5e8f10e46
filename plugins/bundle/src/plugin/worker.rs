//! The plugin's state and what changes it.

use std::collections::{BTreeMap, BTreeSet};

use regent_core::Host;
use regent_core::plugin::Reply;
use regent_core::status::{BundleStatus, Cause, State};
use regent_core::trigger::Subject;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::WINDOW;
use super::pending::Pending;
use crate::activation::Outcome;
use crate::asking::{Asker, Askers};
use crate::config::{BundleConfig, BundlesConfig};
use crate::disk::DiskCopy;
use crate::download::{Download, Downloader};
use crate::error::LoadError;
use crate::loader::{Arrival, Loader, Origin};
use crate::tracked::{Loaded, Tracked};

/// All bundles, configured and on their way out.
pub(super) struct Worker {
    host: Host,
    askers: Askers,
    arrivals: mpsc::Sender<Arrival>,
    bundles: BTreeMap<String, Tracked>,
    /// No longer configured, still active because the rest does not hold together without them.
    leaving: BTreeMap<String, BundleStatus>,
    /// When candidates are activated, if there are any.
    due: Option<Instant>,
    /// The activation under way.
    pub(super) pending: Option<Pending>,
    /// The configuration to take when that has settled.
    deferred: Option<(BundlesConfig, Option<Reply>)>,
    /// Counts the loaders.
    epoch: u64,
    /// Whether the first configuration has been taken.
    running: bool,
}

impl Worker {
    pub(super) fn new(host: Host, askers: Askers, arrivals: mpsc::Sender<Arrival>) -> Self {
        let (bundles, leaving) = (BTreeMap::new(), BTreeMap::new());
        let (due, pending, deferred) = (None, None, None);
        Self { host, askers, arrivals, bundles, leaving, due, pending, deferred, epoch: 0, running: false }
    }

    /// When the next activation begins, which is not before the last one has settled.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| self.pending.is_none())
    }

    /// Where each loader is asked.
    pub(super) fn askers(&self) -> Vec<Asker> {
        self.bundles.values().map(|tracked| tracked.loader.asker()).collect()
    }

    /// Takes a configuration, and answers when it is in effect. While an activation is under way it waits for that, so
    /// that nothing leaves or changes that is about to become active; of several that wait the last one counts.
    pub(super) fn configure(&mut self, config: BundlesConfig, reply: Option<Reply>) {
        if self.pending.is_some() {
            if let Some((_, reply)) = self.deferred.replace((config, reply)) {
                answer(reply);
            }
            return;
        }
        if self.replace(config) {
            self.activate(reply);
        } else {
            answer(reply);
        }
    }

    /// Makes the bundles those that the configuration names. Whether one is gone.
    fn replace(&mut self, config: BundlesConfig) -> bool {
        let legacy = config.legacy;
        let gone: Vec<String> =
            self.bundles.keys().filter(|name| !config.bundles.contains_key(*name)).cloned().collect();
        let someone_leaves = !gone.is_empty();
        for name in gone {
            self.remove(&name);
        }
        for (name, config) in config.bundles {
            self.leaving.remove(&name);
            self.put(name, config);
        }
        self.running = true;
        let askers = self.bundles.iter().map(|(name, tracked)| (Subject::Bundle(name.clone()), tracked.loader.asker()));
        self.askers.replace(askers);
        self.host.status.change(Cause::Bundle, |report| {
            report.legacy_bundle = legacy;
            let statuses = self.bundles.iter().map(|(name, tracked)| (name.clone(), tracked.status.clone()));
            report.bundles.extend(statuses);
        });
        self.report();
        someone_leaves
    }

    /// Adds a bundle, or takes over its changed configuration.
    fn put(&mut self, name: String, config: BundleConfig) {
        if self.bundles.get(&name).is_some_and(|known| known.config == config) {
            return;
        }
        let tracked = match self.bundles.remove(&name) {
            Some(old) => self.restart(&name, config, old),
            None => self.begin(&name, config),
        };
        self.bundles.insert(name, tracked);
    }

    fn begin(&mut self, name: &str, config: BundleConfig) -> Tracked {
        let added = if self.running { "New bundle loader configuration added. " } else { "" };
        tracing::info!(name, plugin = "bundle", "{added}Starting bundle loader.");
        let snapshot = self.host.store.snapshot();
        let active = snapshot.bundles().get(name);
        let etag = active.and_then(|bundle| bundle.etag.clone()).unwrap_or_default();
        let loader = self.start(name, &config, etag);
        Tracked::new(config, loader, Tracked::first_status(name, active))
    }

    fn restart(&mut self, name: &str, config: BundleConfig, old: Tracked) -> Tracked {
        tracing::info!(name, plugin = "bundle", "Bundle loader configuration changed. Restarting bundle loader.");
        // An `ETag` says nothing about what another place has, nor whether other keys would let the same bundle in.
        let same = old.config.source == config.source && old.config.verification == config.verification;
        let etag = if same { old.loader.etag() } else { String::new() };
        let loader = self.start(name, &config, etag);
        Tracked::new(config, loader, old.status)
    }

    fn start(&mut self, name: &str, config: &BundleConfig, etag: String) -> Loader {
        self.epoch += 1;
        let downloader = Downloader {
            name: name.to_owned(),
            plugin: "bundle",
            config: config.clone(),
            services: self.host.services.clone(),
            verifiers: self.host.verifiers.clone(),
            store: self.host.store.clone(),
            is_fresh: !self.is_active(name),
            copy: config.persist.then(|| DiskCopy::new(&self.host.settings().persistence_directory, name)),
        };
        Loader::start(downloader, etag, self.epoch, self.arrivals.clone())
    }

    fn remove(&mut self, name: &str) {
        let Some(tracked) = self.bundles.remove(name) else { return };
        tracing::info!(name, plugin = "bundle", "Bundle loader configuration removed. Stopping bundle loader.");
        if self.is_active(name) {
            self.leaving.insert(name.to_owned(), tracked.status);
        } else {
            self.host.status.remove_bundle(name);
        }
    }

    fn is_active(&self, name: &str) -> bool {
        self.host.store.snapshot().bundles().contains_key(name)
    }

    /// Takes what a loader brought.
    pub(super) fn arrive(&mut self, arrival: Arrival) {
        let Arrival { name, epoch, origin, outcome, verdict } = arrival;
        let is_active = self.is_active(&name);
        let Some(tracked) = self.bundles.get_mut(&name).filter(|tracked| tracked.loader.epoch == epoch) else { return };
        if origin == Origin::Source {
            tracked.requested();
        }
        match outcome {
            Ok(Download::Bundle(candidate, size)) => {
                tracked.take(*candidate, origin, size, verdict);
                return self.gather();
            }
            Ok(Download::NotModified(etag)) => tracked.not_modified(etag, is_active, verdict),
            Ok(Download::Nothing) => tracked.nothing(verdict),
            Err(error) => tracked.failed(&error, origin, verdict),
        }
        self.host.status.set_bundle(tracked.status.clone());
        self.report();
    }

    /// A candidate waits for others, unless there are no others to wait for.
    fn gather(&mut self) {
        let all_there = self.bundles.values().all(Tracked::waits);
        let latest = if all_there { Instant::now() } else { Instant::now() + WINDOW };
        self.due = Some(self.due.map_or(latest, |due| due.min(latest)));
    }

    /// Begins to activate all candidates that can be, and to remove what leaves if that can be.
    pub(super) fn activate(&mut self, reply: Option<Reply>) {
        self.due = None;
        let loaded: BTreeMap<String, Loaded> =
            self.bundles.iter().filter_map(|(name, tracked)| Some((name.clone(), tracked.loaded.clone()?))).collect();
        for (name, Loaded { candidate, .. }) in &loaded {
            let message =
                format!("Bundle activation in progress ({}). Opening storage transaction.", candidate.revision());
            tracing::debug!(name, plugin = "bundle", "{message}");
        }
        let leaving: BTreeSet<String> = self.leaving.keys().cloned().collect();
        self.pending = Some(Pending::begin(self.host.store.clone(), loaded, leaving, reply));
    }

    /// Notes what became of the activation under way, and goes on with what waited for it.
    pub(super) fn settle(&mut self, outcome: Outcome) {
        let Some(Pending { loaded, reply, .. }) = self.pending.take() else { return };
        for (name, cost) in outcome.active {
            if let (Some(tracked), Some(loaded)) = (self.bundles.get_mut(&name), loaded.get(&name)) {
                tracked.activated(loaded, cost);
                self.host.status.set_bundle(tracked.status.clone());
            }
        }
        for (name, error) in outcome.refused {
            let (Some(tracked), Some(loaded)) = (self.bundles.get_mut(&name), loaded.get(&name)) else { continue };
            // Those that nobody waits for were refused before, and status says so.
            if tracked.has(loaded) && tracked.waits() {
                tracked.refused(&LoadError::Activation(error));
                self.host.status.set_bundle(tracked.status.clone());
            }
        }
        self.settle_leaving(outcome.stuck.map(LoadError::Activation));
        self.report();
        answer(reply);
        if let Some((config, reply)) = self.deferred.take() {
            self.configure(config, reply);
        }
    }

    fn settle_leaving(&mut self, stuck: Option<LoadError>) {
        let Some(error) = stuck else {
            for name in std::mem::take(&mut self.leaving).into_keys() {
                self.host.status.remove_bundle(&name);
            }
            return;
        };
        for (name, status) in &mut self.leaving {
            tracing::error!(name, plugin = "bundle", "Bundle deactivation failed: {error}");
            error.note(status);
            self.host.status.set_bundle(status.clone());
        }
    }

    /// When the next bundle will be too old, unless it is confirmed before.
    pub(super) fn stale_at(&self) -> Option<Instant> {
        self.bundles.values().filter_map(Tracked::stale_at).min().map(Instant::from_std)
    }

    /// Ready once every configured bundle has been active, and as long as none is too old.
    pub(super) fn report(&mut self) {
        self.bundles.values_mut().for_each(Tracked::look_at_age);
        let stale: Vec<_> = self.bundles.iter().filter(|(_, tracked)| tracked.stale).map(|(name, _)| &**name).collect();
        let ready = self.bundles.values().all(|tracked| tracked.settled);
        if stale.is_empty() {
            return self.host.report(if ready { State::Ok } else { State::NotReady }, None);
        }
        let names = stale.join(", ");
        let message = format!("not confirmed by their service for longer than max_staleness_seconds: {names}");
        self.host.report(State::Error, Some(message));
    }

    pub(super) fn stop(&mut self) {
        for name in std::mem::take(&mut self.bundles).into_keys() {
            tracing::info!(name, plugin = "bundle", "Stopping bundle loader.");
        }
    }
}

/// Says that a configuration is in effect, if someone asked for that.
fn answer(reply: Option<Reply>) {
    if let Some(reply) = reply {
        reply.send(Ok(()));
    }
}
