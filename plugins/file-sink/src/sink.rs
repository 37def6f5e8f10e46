//! The sink: what happens when.

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use regent_core::decision::EncodedEvent;
use regent_core::offloaded::Offloaded;
use regent_core::plugin::DecisionSink;
use regent_core::{Error, Host};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tracing::warn;

use crate::config::Config;
use crate::error::FileError;
use crate::log::{Log, Rules};
use crate::tidy::tidy;

/// The pause before a file that could not be rolled for its age is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Writes decisions into files.
pub struct FileSink {
    rules: Arc<Rules>,
    log: Offloaded<Log>,
    /// There once the sink runs, if signals can be had.
    hangup: Option<Signal>,
    has_begun: bool,
    tidying: Option<JoinHandle<()>>,
    /// How many files had been rolled when they were last tidied.
    tidied: u64,
    stop: Arc<AtomicBool>,
}

impl DecisionSink for FileSink {
    const NAME: &'static str = "file_sink";
    type Config = Config;

    fn build(config: Config, _host: Host) -> Result<Self, Error> {
        Ok(Self::new(config))
    }

    async fn write(&mut self, events: &[EncodedEvent]) -> Result<(), Error> {
        let events = events.to_vec();
        let written = self.log.work(move |log| log.append(&events)).await;
        self.tidy().await;
        Ok(written?)
    }

    async fn idle(&mut self) {
        if !self.has_begun {
            return self.begin().await;
        }
        // Work that nobody waited for may have rolled files.
        self.tidy().await;
        let left = self.log.value().await.time_left();
        tokio::select! {
            () = hung_up(&mut self.hangup) => self.look(Log::reopen).await,
            () = passed(left) => self.roll().await,
            () = ended(&mut self.tidying) => self.tidying = None,
        }
    }

    async fn close(mut self) -> Result<(), Error> {
        self.log.value().await;
        // Whoever comes next at these files must be alone with them.
        self.stop.store(true, Ordering::Relaxed);
        if let Some(tidying) = self.tidying.take() {
            drop(tidying.await);
        }
        Ok(())
    }
}

impl FileSink {
    pub(crate) fn new(config: Config) -> Self {
        let rules = Arc::new(Rules::new(config));
        let log = Offloaded::new(Log::new(rules.clone()));
        let stop = Arc::default();
        Self { rules, log, hangup: None, has_begun: false, tidying: None, tidied: 0, stop }
    }

    /// Opens the file before there is anything to write, so that mistakes show early, and tidies what was left.
    async fn begin(&mut self) {
        self.has_begun = true;
        self.hangup = signal(SignalKind::hangup())
            .inspect_err(|error| warn!(plugin = "file_sink", "Cannot listen for SIGHUP: {error}"))
            .ok();
        self.start_tidying();
        self.look(Log::reopen).await;
    }

    /// Does work of which the next batch will tell if it still fails.
    async fn look(&mut self, work: fn(&mut Log) -> Result<(), FileError>) {
        if let Err(error) = self.log.work(work).await {
            let why = Error::from(error).chain();
            warn!(plugin = "file_sink", "{why}");
        }
    }

    async fn roll(&mut self) {
        self.look(Log::roll_if_old).await;
        if self.log.value().await.time_left() == Some(Duration::ZERO) {
            sleep(PAUSE).await;
        }
    }

    /// Tidies rolled files if there are new ones and it is not under way.
    async fn tidy(&mut self) {
        if self.tidying.as_ref().is_some_and(JoinHandle::is_finished) {
            self.tidying = None;
        }
        let rolls = self.log.value().await.rolls();
        if self.tidying.is_none() && rolls != self.tidied {
            self.tidied = rolls;
            self.start_tidying();
        }
    }

    fn start_tidying(&mut self) {
        let (rules, stop) = (self.rules.clone(), self.stop.clone());
        self.tidying = Some(tokio::task::spawn_blocking(move || tidy(&rules, &stop)));
    }
}

impl Drop for FileSink {
    /// What is left to be tidied waits for the next start.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Waits for a signal.
async fn hung_up(hangup: &mut Option<Signal>) {
    let Some(hangup) = hangup else { return pending().await };
    if hangup.recv().await.is_none() {
        pending::<()>().await;
    }
}

/// Waits so long; forever, if there is nothing to wait for.
async fn passed(left: Option<Duration>) {
    match left {
        Some(left) => sleep(left).await,
        None => pending().await,
    }
}

/// Waits until a task has ended; forever, if there is none.
async fn ended(task: &mut Option<impl Future + Unpin>) {
    match task {
        Some(task) => drop(task.await),
        None => pending().await,
    }
}
