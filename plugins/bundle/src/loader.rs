//! The task of one bundle: asks, hands over what came, waits, asks again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use regent_core::plugin::TriggerMode;
use regent_core::{Error, ErrorKind, backoff};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::config::SourceConfig;
use crate::download::{Download, Downloader, Reply};
use crate::error::LoadError;

/// Triggers that wait for a loader; more make the sender wait.
const COMMANDS: usize = 8;

/// A service that is asked to hold requests, and answers faster than this, does not hold them.
const HELD: Duration = Duration::from_secs(1);

/// How many answers in a row may come that fast before the loader pauses between requests.
const BURST: u32 = 4;

/// Where a bundle comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From where the configuration says.
    Source,
    /// From the copy on disk.
    Disk,
}

/// What a request came to, on its way to the plugin.
pub struct Arrival {
    /// The bundle's name.
    pub name: String,
    /// Which loader of that name; an older one may still have something on the way.
    pub epoch: u64,
    /// Where it comes from.
    pub origin: Origin,
    /// What came, or why nothing did.
    pub outcome: Result<Download, LoadError>,
    /// The loader goes on when it knows what became of its arrival.
    pub verdict: oneshot::Sender<Verdict>,
}

/// What became of an arrival, for whoever triggered it. Errors are shared by several, so they are plain text here.
pub type Verdict = Result<(), Arc<Error>>;

/// A running loader; dropping it ends it, a request on the way included.
pub struct Loader {
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
    pub fn start(downloader: Downloader, etag: String, epoch: u64, arrivals: mpsc::Sender<Arrival>) -> Self {
        let (commands, triggers) = mpsc::channel(COMMANDS);
        let (etag, known) = watch::channel(etag);
        let holds = downloader.config.long_polling.is_some();
        let life = Life { downloader, epoch, arrivals, triggers, etag: known, failures: 0, holds, hasty: 0 };
        Self { epoch, commands, etag, task: tokio::spawn(life.run()) }
    }

    /// What the next request says is already here.
    pub fn set_etag(&self, etag: &str) {
        self.etag.send_replace(etag.to_owned());
    }

    pub(crate) fn etag(&self) -> String {
        self.etag.borrow().clone()
    }

    /// Where to ask for a request now.
    pub fn trigger(&self) -> mpsc::Sender<oneshot::Sender<Verdict>> {
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
    /// Whether the service is taken to hold requests.
    holds: bool,
    /// How many answers in a row came at once although the service was asked to hold the request.
    hasty: u32,
}

impl Life {
    /// Ends when nobody is left to hand anything to.
    async fn run(mut self) {
        let mut asked_by = None;
        if self.start_from_disk().await.is_none() {
            return;
        }
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
                let (name, plugin) = (&self.downloader.name, self.downloader.plugin);
                tracing::debug!(name, plugin, "Waiting {delay:?} before next download/retry.");
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
        self.is_file() || self.downloader.config.trigger == TriggerMode::Periodic
    }

    /// Hands over the copy on disk, if there is one and nothing newer is active. None when nobody is left to take it.
    async fn start_from_disk(&mut self) -> Option<()> {
        if !self.downloader.is_fresh {
            return Some(());
        }
        let Some(kept) = self.downloader.kept().await else { return Some(()) };
        // A failure stands in the status; the service is asked all the same.
        self.hand_over(Origin::Disk, kept).await.map(drop)
    }

    /// Asks once and waits until it is known what became of the answer.
    async fn load(&mut self) -> Option<Verdict> {
        let etag = self.etag.borrow().clone();
        let wait = self.downloader.config.long_polling.filter(|_| self.holds);
        let (name, plugin) = (&self.downloader.name, self.downloader.plugin);
        tracing::debug!(name, plugin, "Download starting.");
        let start = Instant::now();
        let outcome = self.downloader.get(&etag, wait).await;
        self.hasty = if wait.is_some() && start.elapsed() < HELD { self.hasty.saturating_add(1) } else { 0 };
        self.failures = if outcome.is_err() { self.failures.saturating_add(1) } else { 0 };
        let (outcome, archive) = match outcome {
            Ok(Reply { download, holds, archive }) => {
                self.holds = holds.unwrap_or(self.holds);
                (Ok(download), archive)
            }
            Err(error) => (Err(error), None),
        };
        let verdict = self.hand_over(Origin::Source, outcome).await?;
        if let (Ok(()), Some(archive)) = (&verdict, archive)
            && let Err(error) = self.downloader.keep(archive).await
        {
            return self.hand_over(Origin::Disk, Err(error)).await;
        }
        Some(verdict)
    }

    /// Gives the plugin what came and waits for what becomes of it. None when nobody is left to take it.
    async fn hand_over(&mut self, origin: Origin, outcome: Result<Download, LoadError>) -> Option<Verdict> {
        let (verdict, answer) = oneshot::channel();
        let name = self.downloader.name.clone();
        self.arrivals.send(Arrival { name, epoch: self.epoch, origin, outcome, verdict }).await.ok()?;
        answer.await.ok()
    }

    /// How long to wait before asking again; none if only a trigger makes it ask.
    fn delay(&self) -> Option<Duration> {
        if self.is_file() || self.downloader.config.trigger == TriggerMode::Manual {
            return None;
        }
        let range = &self.downloader.config.delay;
        Some(match self.failures {
            0 if self.downloader.config.long_polling.is_some() && self.holds => self.pause_between_holds(*range.end()),
            0 => rand::rng().random_range(range.clone()),
            failures => backoff::after(failures, *range.end()),
        })
    }

    /// None, unless the service only says that it holds requests: then nobody shall be kept busy.
    fn pause_between_holds(&self, longest: Duration) -> Duration {
        match self.hasty.saturating_sub(BURST) {
            0 => Duration::ZERO,
            more => backoff::after(more + 1, longest),
        }
    }
}

/// Asks several loaders and waits for all of them; the first error counts.
pub async fn trigger_all(loaders: Vec<mpsc::Sender<oneshot::Sender<Verdict>>>) -> Result<(), Error> {
    let ended = || Error::new(ErrorKind::Unavailable, "the bundle loader has ended");
    let asked = loaders.into_iter().map(async |loader| {
        let (sender, verdict) = oneshot::channel();
        loader.send(sender).await.map_err(|_| ended())?;
        let verdict = verdict.await.map_err(|_| ended())?;
        verdict.map_err(|error| Error::new(error.kind(), error.to_string()))
    });
    futures_util::future::join_all(asked).await.into_iter().collect()
}
