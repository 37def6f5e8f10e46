//! All receivers of events, as the configuration wants them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use regent_core::plugin::Reply;
use regent_core::{Error, ErrorKind, Host};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tracing::{debug, warn};

use crate::buffer::{Backlog, Buffer};
use crate::config::{Config, Disk, SyncPolicy};
use crate::counters::{Count, Counters, Tally};
use crate::error::KeepError;
use crate::journal::{self, Gauge, OpenError, Reader, Rules};
use crate::lane::{
    Batch, Bounds, Console, Fifo, FifoOrder, Keeper, Lane, LaneOrder, Named, Relay, Settings, UploadOrder, Uploader,
    Waiting, Wake,
};

/// The name of the lane to the service, in metrics, status and directories.
const SERVICE: &str = "service";

/// How long a journal may still be locked by the lane or the process before, and the pause between two looks.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The lanes that run.
pub(crate) struct Lanes {
    host: Host,
    counters: Arc<Counters>,
    console: Option<Lane<FifoOrder>>,
    /// Those to plugins, by the plugin's name.
    plugins: BTreeMap<String, (Form, Lane<FifoOrder>)>,
    service: Option<(Settings, Option<Disk>, Lane<UploadOrder>)>,
    /// How events wait on disk, if they do.
    disk: Option<Disk>,
    /// Lanes that cannot start, because their journals cannot be opened, and why.
    missing: BTreeMap<String, String>,
    /// Those that could not start the last time.
    missed: BTreeSet<String>,
}

/// How events wait for a plugin.
#[derive(PartialEq)]
struct Form {
    bounds: Bounds,
    disk: Option<Disk>,
}

/// A lane's journal.
struct Journal {
    keeper: Keeper,
    reader: Reader,
    gauge: Gauge,
    wake: Wake,
}

/// What lanes say of events that they were given: whether those are on disk.
pub(crate) struct Kept(Vec<oneshot::Receiver<Result<(), KeepError>>>);

impl Kept {
    /// Waits for all of them.
    pub(crate) async fn settled(self) -> Result<(), KeepError> {
        for receipt in self.0 {
            receipt.await.unwrap_or_else(|_| Err(KeepError::Closed("its receiver has ended".to_owned())))?;
        }
        Ok(())
    }
}

impl Lanes {
    /// No lanes yet.
    pub(crate) fn new(host: Host, counters: Arc<Counters>) -> Self {
        let (console, plugins, service, disk, missing, missed) = Default::default();
        Self { host, counters, console, plugins, service, disk, missing, missed }
    }

    /// Hands events to every lane, and says how to learn that they are on disk, if they shall be and it is waited for.
    ///
    /// # Errors
    /// When a lane has ended by itself, which is a bug in it.
    pub(crate) async fn record(&self, events: Batch) -> Result<Kept, Error> {
        let mut receipts = Vec::new();
        if events.is_empty() {
            return Ok(Kept(receipts));
        }
        let awaited = self.disk.as_ref().is_some_and(Disk::holds_answers);
        let mut receipt = |on_disk: bool| {
            (awaited && on_disk).then(|| {
                let (done, receipt) = oneshot::channel();
                receipts.push(receipt);
                done
            })
        };
        for sink in self.missing.keys() {
            self.miss(sink, events.len() as u64, receipt(true));
        }
        let mut alive = true;
        for lane in self.console.iter().chain(self.plugins.values().map(|(_, lane)| lane)) {
            alive &= lane.record(events.clone(), receipt(lane.is_on_disk())).await;
        }
        if let Some((_, _, lane)) = &self.service {
            alive &= lane.record(events, receipt(lane.is_on_disk())).await;
        }
        if alive { Ok(Kept(receipts)) } else { Err(Error::new(ErrorKind::Internal, "a receiver's task has ended")) }
    }

    /// Counts events for a lane that is not there.
    fn miss(&self, sink: &str, events: u64, receipt: Option<crate::lane::Receipt>) {
        let refuses = self.disk.as_ref().is_some_and(|disk| disk.refuses);
        let count = if refuses { Count::DiskRefused } else { Count::DiskFailed };
        self.counters.tally(sink).add(count, events);
        if let Some(receipt) = receipt {
            let why = || KeepError::Closed(self.missing[sink].clone());
            let _ = receipt.send(if refuses { Err(why()) } else { Ok(()) });
        }
    }

    /// Uploads now; the reply says how it went.
    pub(crate) async fn upload(&self, reply: Reply) {
        if let Some(why) = self.missing.get(SERVICE) {
            return reply.send(Err(Error::new(ErrorKind::Unavailable, why.clone())));
        }
        match &self.service {
            Some((_, _, lane)) => {
                lane.flush().await;
                lane.tell(UploadOrder::Upload(reply)).await;
            }
            None => reply.send(Ok(())),
        }
    }

    /// Makes the lanes those that the configuration asks for. Lanes that stay keep their events; those that go have
    /// until the deadline to deliver them.
    ///
    /// # Errors
    /// When journals cannot be opened; all other lanes run. Trying again may help.
    pub(crate) async fn reconfigure(&mut self, config: &Config, deadline: Instant) -> Result<(), Error> {
        self.disk = config.reporting.disk(&self.host.settings().persistence_directory);
        self.missed = std::mem::take(&mut self.missing).into_keys().collect();
        if self.console.is_some() != config.console {
            stop(self.console.take(), deadline).await;
            self.console = config.console.then(|| self.start_console(&config.reporting));
        }
        self.reconfigure_plugins(config, deadline).await;
        self.reconfigure_service(Settings::of(config), deadline).await;
        match self.missing.values().next() {
            None => Ok(()),
            Some(why) => Err(Error::new(ErrorKind::Unavailable, why.clone())),
        }
    }

    async fn reconfigure_plugins(&mut self, config: &Config, deadline: Instant) {
        let wanted = |name: &String| config.plugins().contains(name);
        let form = || Form { bounds: Bounds::of(&config.reporting), disk: self.disk.clone() };
        let gone = self.plugins.extract_if(.., |name, (present, _)| !wanted(name) || *present != form());
        let leaving: JoinSet<()> = gone.map(|(_, (_, lane))| lane.leave(deadline)).collect();
        leaving.join_all().await;
        for name in config.plugins() {
            if self.plugins.contains_key(name) {
                continue;
            }
            let form = Form { bounds: Bounds::of(&config.reporting), disk: self.disk.clone() };
            if let Some(lane) = self.start_plugin(name, form.bounds).await {
                self.plugins.insert(name.clone(), (form, lane));
            }
        }
    }

    async fn reconfigure_service(&mut self, wanted: Option<Settings>, deadline: Instant) {
        match (&mut self.service, wanted) {
            (Some((present, disk, _)), Some(wanted)) if *present == wanted && *disk == self.disk => {
                debug!(plugin = "decision_logs", "Decision log uploader configuration unchanged.");
            }
            (Some((present, disk, lane)), Some(wanted)) if *disk == self.disk => {
                lane.tell(UploadOrder::Configure(wanted.clone())).await;
                *present = wanted;
            }
            (_, wanted) => {
                if let Some((_, _, lane)) = self.service.take() {
                    lane.leave(deadline).await;
                }
                if let Some(settings) = wanted
                    && let Some(lane) = self.start_service(settings.clone()).await
                {
                    self.service = Some((settings, self.disk.clone(), lane));
                }
            }
        }
    }

    /// Lets all lanes finish at the same time, before the deadline.
    pub(crate) async fn close(self, deadline: Instant) {
        tokio::join!(
            stop(self.console, deadline),
            stop_all(self.plugins.into_values().map(|(_, lane)| lane), deadline),
            stop(self.service.map(|(_, _, lane)| lane), deadline),
        );
    }

    fn start_console(&self, reporting: &crate::config::Reporting) -> Lane<FifoOrder> {
        let (host, tally) = (self.host.clone(), self.counters.tally("console"));
        let fifo = Fifo::new(Arc::new(Console), Bounds::of(reporting), Count::ConsoleBuffer, host, tally);
        Lane::start(None, |orders| fifo.run(orders))
    }

    async fn start_plugin(&mut self, name: &str, bounds: Bounds) -> Option<Lane<FifoOrder>> {
        let (host, tally) = (self.host.clone(), self.counters.tally(&format!("plugin/{name}")));
        let sink = Arc::new(Named::new(name.to_owned(), host.clone()));
        let Some(disk) = self.disk.clone() else {
            let fifo = Fifo::new(sink, bounds, Count::PluginBuffer, host, tally);
            return Some(Lane::start(None, |orders| fifo.run(orders)));
        };
        let Journal { keeper, reader, gauge, wake } = self.journal(&disk, &format!("plugin-{name}"), &tally).await?;
        let relay = Relay::new(sink, reader, gauge, wake, host, tally);
        Some(Lane::start(Some(keeper), |orders| relay.run(orders)))
    }

    async fn start_service(&mut self, settings: Settings) -> Option<Lane<UploadOrder>> {
        let (host, tally) = (self.host.clone(), self.counters.tally(SERVICE));
        let Some(disk) = self.disk.clone() else {
            let waiting = Waiting::Memory(Box::new(Buffer::new(settings.limits.clone(), tally.clone())));
            let uploader = Uploader::new(host, settings, waiting, Wake::never(), tally);
            return Some(Lane::start(None, |orders| uploader.run(orders)));
        };
        let Journal { keeper, reader, gauge, wake } = self.journal(&disk, SERVICE, &tally).await?;
        let backlog = Box::new(Backlog::new(reader, gauge, settings.limits.clone(), tally.clone()));
        let uploader = Uploader::new(host, settings, Waiting::Disk(backlog), wake, tally);
        Some(Lane::start(Some(keeper), |orders| uploader.run(orders)))
    }

    /// Opens the journal of a lane, or notes that it cannot be opened.
    async fn journal(&mut self, disk: &Disk, name: &str, tally: &Arc<Tally>) -> Option<Journal> {
        // Once it is known to be missing, others are not to wait for it.
        let is_first = !self.missed.contains(tally.sink());
        let patience = Instant::now() + if is_first { LOCK_PATIENCE } else { Duration::ZERO };
        match open(disk, name, &self.host, tally, patience).await {
            Ok(journal) => {
                tally.trouble(None);
                Some(journal)
            }
            Err(why) => {
                tally.trouble(Some(&why));
                self.missing.insert(tally.sink().to_owned(), why);
                None
            }
        }
    }
}

async fn open(disk: &Disk, name: &str, host: &Host, tally: &Arc<Tally>, patience: Instant) -> Result<Journal, String> {
    let directory = disk.directory.join(Path::new(name));
    let rules = Rules { limit: disk.limit, refuses: disk.refuses, syncs: disk.sync != SyncPolicy::Never };
    let opened = loop {
        let (directory, rules) = (directory.clone(), rules.clone());
        let opened = tokio::task::spawn_blocking(move || journal::open(&directory, rules)).await;
        match opened.map_err(|panic| panic.to_string())? {
            // The lane before may not have let go of it yet.
            Err(OpenError::Locked(_)) if Instant::now() < patience => sleep(LOCK_PAUSE).await,
            other => break other.map_err(|error| error.to_string())?,
        }
    };
    let sink = tally.sink();
    if opened.cut > 0 {
        let bytes = opened.cut;
        warn!(
            plugin = "decision_logs",
            sink, bytes, "The journal of decisions ended with a part of one, which is cut off."
        );
    }
    tally.on_disk(&opened.gauge);
    let (keeper, wake) = Keeper::start(opened.writer, opened.gauge.clone(), disk, host.clone(), tally.clone());
    Ok(Journal { keeper, reader: opened.reader, gauge: opened.gauge, wake })
}

async fn stop<O: LaneOrder>(lane: Option<Lane<O>>, deadline: Instant) {
    if let Some(lane) = lane {
        lane.stop(deadline).await;
    }
}

async fn stop_all<O: LaneOrder>(lanes: impl IntoIterator<Item = Lane<O>>, deadline: Instant) {
    let stopping: JoinSet<()> = lanes.into_iter().map(|lane| lane.stop(deadline)).collect();
    stopping.join_all().await;
}
