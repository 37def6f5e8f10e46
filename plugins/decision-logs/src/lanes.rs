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

use crate::ack::{AckError, AckSender, LaneAcks};
use crate::config::{Config, Disk, SyncPolicy};
use crate::counters::{Count, Counters, SinkStats};
use crate::journal::{self, OpenError, Reader, Rules, Usage};
use crate::lane::service::{DiskBuffer, MemoryBuffer, ServiceLane, ServiceOrder, Settings, UploadBuffer};
use crate::lane::sink::{Bounds, Console, DiskSinkLane, MemorySinkLane, NamedSink, SinkOrder};
use crate::lane::{Appender, Batch, Lane, LaneOrder, Wake};

/// The name of the lane to the service, in metrics, status and directories.
const SERVICE: &str = "service";

/// How long a journal may still be locked by the lane or the process before, and the pause between two looks.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The lanes that run.
pub(crate) struct Lanes {
    host: Host,
    counters: Arc<Counters>,
    console: Option<Lane<SinkOrder>>,
    /// Those to plugins, by the plugin's name.
    plugins: BTreeMap<String, (Form, Lane<SinkOrder>)>,
    service: Option<(Settings, Option<Disk>, Lane<ServiceOrder>)>,
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
    appender: Appender,
    reader: Reader,
    usage: Usage,
    wake: Wake,
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
    pub(crate) async fn record(&self, events: Batch) -> Result<LaneAcks, Error> {
        let mut acks = Vec::new();
        if events.is_empty() {
            return Ok(LaneAcks::new(acks));
        }
        let awaited = self.disk.as_ref().is_some_and(Disk::awaits_acks);
        let mut ack = |on_disk: bool| {
            (awaited && on_disk).then(|| {
                let (sender, acked) = oneshot::channel();
                acks.push(acked);
                sender
            })
        };
        for sink in self.missing.keys() {
            self.miss(sink, events.len() as u64, ack(true));
        }
        let mut alive = true;
        for lane in self.console.iter().chain(self.plugins.values().map(|(_, lane)| lane)) {
            alive &= lane.record(events.clone(), ack(lane.is_on_disk())).await;
        }
        if let Some((_, _, lane)) = &self.service {
            alive &= lane.record(events, ack(lane.is_on_disk())).await;
        }
        if alive {
            Ok(LaneAcks::new(acks))
        } else {
            Err(Error::new(ErrorKind::Internal, "a receiver's task has ended"))
        }
    }

    /// Counts events for a lane that is not there.
    fn miss(&self, sink: &str, events: u64, ack: Option<AckSender>) {
        let refuses = self.disk.as_ref().is_some_and(|disk| disk.refuses);
        let count = if refuses { Count::DiskRefused } else { Count::DiskFailed };
        self.counters.stats(sink).add(count, events);
        if let Some(ack) = ack {
            let why = || AckError::Closed(self.missing[sink].clone());
            let _ = ack.send(if refuses { Err(why()) } else { Ok(()) });
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
                lane.tell(ServiceOrder::Upload(reply)).await;
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
                debug!(plugin = "decision_logs", "Decision log service configuration unchanged.");
            }
            (Some((present, disk, lane)), Some(wanted)) if *disk == self.disk => {
                lane.tell(ServiceOrder::Configure(wanted.clone())).await;
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

    fn start_console(&self, reporting: &crate::config::Reporting) -> Lane<SinkOrder> {
        let (host, stats) = (self.host.clone(), self.counters.stats("console"));
        let lane = MemorySinkLane::new(Arc::new(Console), Bounds::of(reporting), Count::ConsoleBuffer, host, stats);
        Lane::start(None, |orders| lane.run(orders))
    }

    async fn start_plugin(&mut self, name: &str, bounds: Bounds) -> Option<Lane<SinkOrder>> {
        let (host, stats) = (self.host.clone(), self.counters.stats(&format!("plugin/{name}")));
        let sink = Arc::new(NamedSink::new(name.to_owned(), host.clone()));
        let Some(disk) = self.disk.clone() else {
            let lane = MemorySinkLane::new(sink, bounds, Count::PluginBuffer, host, stats);
            return Some(Lane::start(None, |orders| lane.run(orders)));
        };
        let Journal { appender, reader, usage, wake } = self.journal(&disk, &format!("plugin-{name}"), &stats).await?;
        let lane = DiskSinkLane::new(sink, reader, usage, wake, host, stats);
        Some(Lane::start(Some(appender), |orders| lane.run(orders)))
    }

    async fn start_service(&mut self, settings: Settings) -> Option<Lane<ServiceOrder>> {
        let (host, stats) = (self.host.clone(), self.counters.stats(SERVICE));
        let Some(disk) = self.disk.clone() else {
            let buffer = UploadBuffer::Memory(Box::new(MemoryBuffer::new(settings.limits.clone(), stats.clone())));
            let lane = ServiceLane::new(host, settings, buffer, Wake::never(), stats);
            return Some(Lane::start(None, |orders| lane.run(orders)));
        };
        let Journal { appender, reader, usage, wake } = self.journal(&disk, SERVICE, &stats).await?;
        let buffer = Box::new(DiskBuffer::new(reader, usage, settings.limits.clone(), stats.clone()));
        let lane = ServiceLane::new(host, settings, UploadBuffer::Disk(buffer), wake, stats);
        Some(Lane::start(Some(appender), |orders| lane.run(orders)))
    }

    /// Opens the journal of a lane, or notes that it cannot be opened.
    async fn journal(&mut self, disk: &Disk, name: &str, stats: &Arc<SinkStats>) -> Option<Journal> {
        // Once it is known to be missing, others are not to wait for it.
        let is_first = !self.missed.contains(stats.sink());
        let patience = Instant::now() + if is_first { LOCK_PATIENCE } else { Duration::ZERO };
        match open(disk, name, &self.host, stats, patience).await {
            Ok(journal) => {
                stats.trouble(None);
                Some(journal)
            }
            Err(why) => {
                stats.trouble(Some(&why));
                self.missing.insert(stats.sink().to_owned(), why);
                None
            }
        }
    }
}

async fn open(
    disk: &Disk,
    name: &str,
    host: &Host,
    stats: &Arc<SinkStats>,
    patience: Instant,
) -> Result<Journal, String> {
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
    let sink = stats.sink();
    if opened.cut > 0 {
        let bytes = opened.cut;
        warn!(
            plugin = "decision_logs",
            sink, bytes, "The journal of decisions ended with a part of one, which is cut off."
        );
    }
    stats.on_disk(&opened.usage);
    let (appender, wake) = Appender::start(opened.writer, opened.usage.clone(), disk, host.clone(), stats.clone());
    Ok(Journal { appender, reader: opened.reader, usage: opened.usage, wake })
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
