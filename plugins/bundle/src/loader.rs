//! The task of one bundle: asks, hands over what came, waits, asks again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use regent_core::blocks::Blocks;
use regent_core::plugin::TriggerMode;
use regent_core::trigger::Fetched;
use regent_core::{Error, ErrorKind, backoff};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::asking::{Asked, Asker, Verdict, asking};
use crate::config::SourceConfig;
use crate::download::{Download, Downloader, Reply};
use crate::error::LoadError;

/// A service that is asked to hold requests, and answers faster than this, does not hold them.
const HELD: Duration = Duration::from_secs(1);

/// How many answers in a row may come that fast before the loader pauses between requests.
const BURST: u32 = 4;

/// What an arrival is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// What was asked for where the configuration says.
    Source,
    /// The copy on disk that an agent starts with.
    Disk,
    /// The copy that was to be kept of what came from the source; it only arrives if that failed.
    Kept,
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

/// A running loader; dropping it ends it, a request on the way included.
pub struct Loader {
    pub(crate) epoch: u64,
    asker: Asker,
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
        let (asker, calls) = asking();
        let (etag, known) = watch::channel(etag);
        let holds = downloader.config.long_polling.is_some();
        let task = LoaderTask { downloader, epoch, arrivals, asked: calls, etag: known, failures: 0, holds, hasty: 0 };
        Self { epoch, asker, etag, task: tokio::spawn(task.run()) }
    }

    /// What the next request says is already here.
    pub fn set_etag(&self, etag: &str) {
        self.etag.send_replace(etag.to_owned());
    }

    pub(crate) fn etag(&self) -> String {
        self.etag.borrow().clone()
    }

    /// Where to ask for a request now.
    pub fn asker(&self) -> Asker {
        self.asker.clone()
    }
}

/// The state of a loader's task.
struct LoaderTask {
    downloader: Downloader,
    epoch: u64,
    arrivals: mpsc::Sender<Arrival>,
    asked: Asked,
    etag: watch::Receiver<String>,
    failures: u32,
    /// Whether the service is taken to hold requests.
    holds: bool,
    /// How many answers in a row came at once although the service was asked to hold the request.
    hasty: u32,
}

impl LoaderTask {
    /// Ends when nobody is left to hand anything to.
    async fn run(mut self) {
        if self.start_from_disk().await.is_none() {
            return;
        }
        if !self.starts_at_once() && self.asked.wait().await.is_none() {
            return;
        }
        loop {
            if self.load().await.is_none() {
                return;
            }
            let delay = self.delay();
            if let Some(delay) = delay {
                let (name, plugin) = (&self.downloader.name, self.downloader.plugin);
                tracing::debug!(name, plugin, "Waiting {delay:?} before next download/retry.");
            }
            tokio::select! {
                asked = self.asked.wait() => if asked.is_none() {
                    return;
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

    /// Asks once, waits until it is known what became of the answer, and tells whoever asked for it. None when nobody is
    /// left to take what comes.
    async fn load(&mut self) -> Option<()> {
        let etag = self.etag.borrow().clone();
        let mut wait = self.downloader.config.long_polling.filter(|_| self.holds);
        let (name, plugin) = (&self.downloader.name, self.downloader.plugin);
        tracing::debug!(name, plugin, "Download starting.");
        let mut number = self.asked.count();
        let start = Instant::now();
        let outcome = tokio::select! {
            outcome = self.downloader.get(&etag, wait) => outcome,
            // Whoever asks does not care to wait with the service for news.
            Some(()) = self.asked.wait(), if wait.is_some() => {
                number = self.asked.count();
                wait = None;
                self.downloader.get(&etag, None).await
            }
        };
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
        let verdict = match (verdict, archive) {
            (Ok(fetched), Some(archive)) => Ok(self.keep(fetched, archive).await?),
            (verdict, _) => verdict,
        };
        self.asked.serve(number, verdict);
        Some(())
    }

    /// Keeps the archive of what has become active. That it cannot be kept is told, and changes nothing else.
    async fn keep(&mut self, fetched: Fetched, archive: Arc<Blocks>) -> Option<Fetched> {
        let Err(error) = self.downloader.keep(archive).await else { return Some(fetched) };
        let warning = Some(error.to_string());
        // The verdict says no more than the error does.
        let _told = self.hand_over(Origin::Kept, Err(error)).await?;
        Some(Fetched { warning, ..fetched })
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
///
/// # Errors
/// Why a load failed, or that its loader has ended.
pub async fn trigger_all(loaders: Vec<Asker>) -> Result<(), Error> {
    let ended = || Error::new(ErrorKind::Unavailable, "the bundle loader has ended");
    let verdicts = futures_util::future::join_all(loaders.into_iter().map(Asker::fetch)).await;
    verdicts.into_iter().try_for_each(|verdict| Ok(verdict.ok_or_else(ended)?.map(drop)?))
}
