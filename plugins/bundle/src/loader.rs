//! The task of one bundle: asks, hands over what came, waits, asks again.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use regent_core::{Error, ErrorKind, backoff};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::config::{SourceConfig, Trigger};
use crate::download::{Download, Downloader};
use crate::error::LoadError;

/// Triggers that wait for a loader; more make the sender wait.
const COMMANDS: usize = 8;

/// What a request came to, on its way to the plugin.
pub(crate) struct Arrival {
    pub(crate) name: String,
    /// Which loader of that name; an older one may still have something on the way.
    pub(crate) epoch: u64,
    pub(crate) outcome: Result<Download, LoadError>,
    /// The loader goes on when it knows what became of its arrival.
    pub(crate) verdict: oneshot::Sender<Verdict>,
}

/// What became of an arrival, for whoever triggered it. Errors are shared by several, so they are plain text here.
pub(crate) type Verdict = Result<(), Arc<Error>>;

/// A running loader; dropping it ends it, a request on the way included.
pub(crate) struct Loader {
    pub(crate) epoch: u64,
    commands: mpsc::Sender<oneshot::Sender<Verdict>>,
    etag: watch::Sender<String>,
    task: JoinHandle<()>,
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Loader {
    /// Starts asking. `etag` is that of the active version, empty if there is none.
    pub(crate) fn start(downloader: Downloader, etag: String, epoch: u64, arrivals: mpsc::Sender<Arrival>) -> Self {
        let (commands, triggers) = mpsc::channel(COMMANDS);
        let (etag, known) = watch::channel(etag);
        let life = Life { downloader, epoch, arrivals, triggers, etag: known, failures: 0 };
        Self { epoch, commands, etag, task: tokio::spawn(life.run()) }
    }

    /// What the next request says is already here.
    pub(crate) fn set_etag(&self, etag: &str) {
        self.etag.send_replace(etag.to_owned());
    }

    pub(crate) fn etag(&self) -> String {
        self.etag.borrow().clone()
    }

    /// Where to ask for a request now.
    pub(crate) fn trigger(&self) -> mpsc::Sender<oneshot::Sender<Verdict>> {
        self.commands.clone()
    }
}

/// The state of a loader's task.
struct Life {
    downloader: Downloader,
    epoch: u64,
    arrivals: mpsc::Sender<Arrival>,
    triggers: mpsc::Receiver<oneshot::Sender<Verdict>>,
    etag: watch::Receiver<String>,
    failures: u32,
}

impl Life {
    /// Ends when nobody is left to hand anything to.
    async fn run(mut self) {
        let mut asked_by = None;
        if !self.starts_at_once() {
            let Some(trigger) = self.triggers.recv().await else { return };
            asked_by = Some(trigger);
        }
        loop {
            let Some(verdict) = self.load().await else { return };
            if let Some(trigger) = asked_by.take() {
                // Whoever triggered may have gone, which is fine.
                let _ = trigger.send(verdict);
            }
            let delay = self.delay();
            if let Some(delay) = delay {
                let name = &self.downloader.name;
                tracing::debug!(name, plugin = "bundle", "Waiting {delay:?} before next download/retry.");
            }
            tokio::select! {
                trigger = self.triggers.recv() => match trigger {
                    Some(trigger) => asked_by = Some(trigger),
                    None => return,
                },
                () = tokio::time::sleep(delay.unwrap_or_default()), if delay.is_some() => {}
            }
        }
    }

    fn is_file(&self) -> bool {
        matches!(self.downloader.config.source, SourceConfig::File(_))
    }

    fn starts_at_once(&self) -> bool {
        self.is_file() || self.downloader.config.trigger == Trigger::Periodic
    }

    /// Asks once and waits until it is known what became of the answer.
    async fn load(&mut self) -> Option<Verdict> {
        let etag = self.etag.borrow().clone();
        let name = self.downloader.name.clone();
        tracing::debug!(name, plugin = "bundle", "Download starting.");
        let outcome = self.downloader.get(&etag).await;
        self.failures = if outcome.is_err() { self.failures.saturating_add(1) } else { 0 };
        let (verdict, answer) = oneshot::channel();
        self.arrivals.send(Arrival { name, epoch: self.epoch, outcome, verdict }).await.ok()?;
        answer.await.ok()
    }

    /// How long to wait before asking again; none if only a trigger makes it ask.
    fn delay(&self) -> Option<Duration> {
        if self.is_file() || self.downloader.config.trigger == Trigger::Manual {
            return None;
        }
        let range = &self.downloader.config.delay;
        Some(match self.failures {
            0 => rand::rng().random_range(range.clone()),
            failures => backoff::after(failures, *range.end()),
        })
    }
}

/// Asks several loaders and waits for all of them; the first error counts.
pub(crate) async fn trigger_all(loaders: Vec<mpsc::Sender<oneshot::Sender<Verdict>>>) -> Result<(), Error> {
    let ended = || Error::new(ErrorKind::Unavailable, "the bundle loader has ended");
    let asked = loaders.into_iter().map(async |loader| {
        let (sender, verdict) = oneshot::channel();
        loader.send(sender).await.map_err(|_| ended())?;
        let verdict = verdict.await.map_err(|_| ended())?;
        verdict.map_err(|error| Error::new(error.kind(), error.to_string()))
    });
    futures_util::future::join_all(asked).await.into_iter().collect()
}
