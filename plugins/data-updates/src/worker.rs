//! The one task that owns what is under way: base data, updates, retries, reports.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use metrics::Counter;
use regent_core::plugin::{Inbox, Signal};
use regent_core::{Error, Host, backoff};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::base;
use crate::config::Config;
use crate::connection::Event;
use crate::health::Health;
use crate::http::HttpFetcher;
use crate::job::{Outcome, Tools};
use crate::model::{Callback, DataUpdate, Entry};
use crate::order::Order;
use crate::policy::keeper::PolicyKeeper;
use crate::repeats::Repeats;
use crate::report::{EntryReport, Report, Reporter};
use crate::rpc::new_id;
use crate::topics;

/// Entries under way beyond which news waits at the server.
const MOST_JOBS: usize = 1_024;

/// Longest pause before an entry of base data is tried again.
const LONGEST_RETRY: Duration = Duration::from_mins(1);

/// The worker's state.
pub(crate) struct Worker {
    config: Arc<Config>,
    client: Arc<HttpFetcher>,
    tools: Arc<Tools>,
    order: Order,
    jobs: FuturesUnordered<BoxFuture<'static, (Place, Outcome)>>,
    /// Updates of which entries are under way, by number.
    updates: BTreeMap<u64, Update>,
    next: u64,
    /// The list of base data that is being asked for.
    listing: Option<BoxFuture<'static, Result<Vec<Entry>, Error>>>,
    listing_failures: u32,
    /// Entries of the present list that are loaded again later.
    later: FuturesUnordered<BoxFuture<'static, (Arc<Entry>, Kind)>>,
    policy: PolicyKeeper,
    repeats: Repeats,
    health: Health,
    reporter: Reporter,
    counters: Counters,
}

/// Which entry of which update.
#[derive(Clone, Copy)]
struct Place {
    update: u64,
    entry: usize,
}

/// An update of which something is under way.
struct Update {
    id: String,
    kind: Kind,
    callbacks: Vec<Callback>,
    entries: Vec<Arc<Entry>>,
    outcomes: Vec<Option<Outcome>>,
}

/// Why entries are loaded.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Something was published.
    News,
    /// It is on the list of base data, was not loaded yet, and has failed so many times.
    Base(u32),
    /// It is on the list and loaded, but has to be loaded from time to time.
    Periodic,
}

pub(crate) struct Counters {
    pub(crate) received: Counter,
    pub(crate) repeated: Counter,
    pub(crate) refused: Counter,
    pub(crate) saved: Counter,
    pub(crate) failed: Counter,
}

impl Worker {
    pub(crate) fn new(
        config: Arc<Config>,
        host: Host,
        tools: Arc<Tools>,
        client: Arc<HttpFetcher>,
        reporter: Reporter,
        counters: Counters,
    ) -> Self {
        let awaits_policy = config.policy.enabled;
        let policy = PolicyKeeper::new(config.clone(), client.clone(), tools.store.clone());
        Self {
            config,
            client,
            tools,
            order: Order::default(),
            jobs: FuturesUnordered::new(),
            updates: BTreeMap::new(),
            next: 0,
            listing: None,
            listing_failures: 0,
            later: FuturesUnordered::new(),
            policy,
            repeats: Repeats::default(),
            health: Health::new(host, awaits_policy),
            reporter,
            counters,
        }
    }

    /// Works until it is told to stop.
    pub(crate) async fn run(mut self, mut inbox: Inbox<Config>, mut events: mpsc::Receiver<Event>) {
        loop {
            // Base data comes first: news that arrives meanwhile is younger than it.
            let takes_news = self.listing.is_none() && self.jobs.len() < MOST_JOBS;
            tokio::select! {
                signal = inbox.recv() => match signal {
                    Signal::Stop(_) => return,
                    // A changed section makes a new instance, so there is nothing to take over.
                    Signal::Configure(_, reply) => reply.send(Ok(())),
                    Signal::Trigger(reply) => {
                        self.load_base();
                        reply.send(Ok(()));
                    }
                },
                Some(event) = events.recv(), if takes_news => self.hear(event),
                listed = ended(&mut self.listing) => self.take_list(listed),
                told = self.policy.next() => self.health.policy(told.map_err(|error| error.chain())),
                Some((place, outcome)) = self.jobs.next(), if !self.jobs.is_empty() => self.end(place, outcome),
                Some((entry, kind)) = self.later.next(), if !self.later.is_empty() => self.begin(new_id(), kind, Vec::new(), vec![entry]),
            }
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Connected { resumed } => {
                tracing::info!("Connected to the server of data updates.");
                self.health.connected();
                self.policy.load();
                if !resumed {
                    self.repeats = Repeats::default();
                    self.load_base();
                }
            }
            Event::Lost(why) => {
                tracing::error!(error = %why.chain(), "No connection to the server of data updates.");
                self.health.lost(why.chain());
            }
            Event::Notice { topic, update } => self.take_notice(&topic, &update),
        }
    }

    fn take_notice(&mut self, topic: &str, update: &RawValue) {
        if topics::is_policy(topic) {
            self.policy.load();
            return;
        }
        if self.repeats.is_repeat(topic, update.get()) {
            self.counters.repeated.increment(1);
            return;
        }
        match serde_json::from_str::<DataUpdate>(update.get()) {
            Ok(DataUpdate { id, entries, callback, reason }) => {
                tracing::debug!(id, reason, topic, "An update of data has come.");
                self.counters.received.increment(1);
                let id = id.filter(|id| !id.is_empty()).unwrap_or_else(new_id);
                let entries = self.ours(entries);
                self.begin(id, Kind::News, callback.callbacks, entries);
            }
            Err(error) => {
                self.counters.refused.increment(1);
                tracing::error!(%error, topic, "An update of data cannot be read; nothing of it is applied.");
            }
        }
    }

    /// The entries that share a topic with the agent.
    fn ours(&self, entries: Vec<Entry>) -> Vec<Arc<Entry>> {
        let topics = self.config.topics();
        let is_ours = |entry: &Entry| entry.topics.iter().any(|topic| topics.contains(topic));
        entries.into_iter().filter(is_ours).map(Arc::new).collect()
    }

    fn load_base(&mut self) {
        self.listing_failures = 0;
        self.ask_for_list();
    }

    fn ask_for_list(&mut self) {
        self.listing = Some(Box::pin(base::list(self.config.clone(), self.client.clone(), self.listing_failures)));
    }

    fn take_list(&mut self, listed: Result<Vec<Entry>, Error>) {
        self.listing = None;
        match listed {
            Ok(entries) => {
                let entries = self.ours(entries);
                self.later.clear();
                self.health.listed(entries.len());
                self.begin(new_id(), Kind::Base(0), Vec::new(), entries);
            }
            Err(error) => {
                self.listing_failures += 1;
                tracing::error!(error = %error.chain(), "Base data cannot be loaded.");
                self.health.unlisted(error.chain());
                self.ask_for_list();
            }
        }
    }

    fn begin(&mut self, id: String, kind: Kind, callbacks: Vec<Callback>, entries: Vec<Arc<Entry>>) {
        let update = self.next;
        self.next += 1;
        for (entry, what) in entries.iter().enumerate() {
            let job = self.tools.start(&mut self.order, what.clone());
            self.jobs.push(Box::pin(async move { (Place { update, entry }, job.await) }));
        }
        let outcomes = entries.iter().map(|_| None).collect();
        self.updates.insert(update, Update { id, kind, callbacks, entries, outcomes });
        self.close(update);
    }

    fn end(&mut self, place: Place, outcome: Outcome) {
        let Some(update) = self.updates.get_mut(&place.update) else { return };
        let (entry, kind) = (update.entries[place.entry].clone(), update.kind);
        match &outcome.error {
            None => {
                self.counters.saved.increment(1);
                self.health.saved(&entry);
                if let Kind::Base(_) = kind {
                    self.health.loaded();
                }
            }
            Some(why) => {
                self.counters.failed.increment(1);
                tracing::error!(path = entry.dst_path, error = why, "Data cannot be updated.");
                self.health.failed(&entry, why);
            }
        }
        update.outcomes[place.entry] = Some(outcome);
        let has_failed = update.outcomes[place.entry].as_ref().is_some_and(|outcome| outcome.error.is_some());
        self.plan(entry, kind, has_failed);
        self.close(place.update);
    }

    /// Has an entry of base data loaded again: soon if it has failed, else after its own interval.
    fn plan(&mut self, entry: Arc<Entry>, kind: Kind, has_failed: bool) {
        let interval = entry.periodic_update_interval.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let (pause, next) = match (kind, has_failed, interval) {
            (Kind::Base(failures), true, _) => {
                (backoff::after(failures + 2, LONGEST_RETRY), Kind::Base(failures.saturating_add(1)))
            }
            (Kind::Base(_) | Kind::Periodic, _, Some(interval)) if !interval.is_zero() => (interval, Kind::Periodic),
            _ => return,
        };
        self.later.push(Box::pin(async move {
            tokio::time::sleep(pause).await;
            (entry, next)
        }));
    }

    /// Reports an update of which nothing is under way any more.
    fn close(&mut self, number: u64) {
        let is_over = |update: &Update| update.outcomes.iter().all(Option::is_some);
        if !self.updates.get(&number).is_some_and(is_over) {
            return;
        }
        let Some(Update { id, callbacks, entries, outcomes, .. }) = self.updates.remove(&number) else { return };
        let told = entries.into_iter().zip(outcomes.into_iter().flatten()).map(|(entry, outcome)| EntryReport {
            entry,
            fetched: outcome.hash.is_some(),
            saved: outcome.error.is_none(),
            hash: outcome.hash,
        });
        self.reporter.send(&Report::new(id, told.collect()), &callbacks);
    }
}

/// Waits for something that may be under way; forever, if it is not.
async fn ended<T>(under_way: &mut Option<BoxFuture<'static, T>>) -> T {
    match under_way {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
