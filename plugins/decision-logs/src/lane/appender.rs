//! Puts the events of one lane into its journal, and acknowledges them.
//!
//! All that has come while the disk was busy goes in at once, so that many answers share one wait for the disk.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use regent_core::Host;
use regent_core::log_limiter::LogLimiter;
use regent_core::offloaded::Offloaded;
use regent_core::timer::reached;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tracing::{error, warn};

use super::Batch;
use crate::ack::{AckError, AckSender};
use crate::config::{Disk, SyncPolicy};
use crate::counters::{Count, SinkStats};
use crate::journal::{AppendError, Usage, Writer};

/// Events, and so batches, that may wait while the disk is busy.
const CAPACITY: usize = 10_000;

/// Batches that go into the journal at once.
const GROUP: usize = 1024;

enum Order {
    Append(Batch, Option<AckSender>),
    /// Say when all that came before is in the journal.
    Flush(oneshot::Sender<()>),
}

/// An appender's task.
pub(crate) struct Appender {
    orders: mpsc::Sender<Order>,
    /// Events in orders that wait.
    queued: Arc<AtomicUsize>,
    /// Events that found no room, until the task says so.
    overflow: Arc<AtomicU64>,
    /// A set of one, because a set ends its tasks when it is dropped.
    task: JoinSet<()>,
    stats: Arc<SinkStats>,
}

/// Wakes a lane whenever there is more in its journal.
pub(crate) struct Wake(Option<watch::Receiver<()>>);

impl Wake {
    /// One that never wakes.
    pub(crate) fn never() -> Self {
        Self(None)
    }

    /// Waits until there is more; false if there never will be.
    pub(crate) async fn more(&mut self) -> bool {
        match &mut self.0 {
            Some(more) => more.changed().await.is_ok(),
            None => false,
        }
    }

    /// Waits until there is more; forever, if there never will be.
    pub(crate) async fn up(&mut self) {
        if !self.more().await {
            pending::<()>().await;
        }
    }
}

impl Appender {
    pub(crate) fn start(writer: Writer, usage: Usage, disk: &Disk, host: Host, stats: Arc<SinkStats>) -> (Self, Wake) {
        let (orders, inbox) = mpsc::channel(CAPACITY);
        let (wake, woken) = watch::channel(());
        let (queued, overflow) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
        let work = Worker {
            writer: Offloaded::new(writer),
            usage,
            sync: disk.sync,
            refuses: disk.refuses,
            wake,
            unsynced: None,
            queued: queued.clone(),
            overflow: overflow.clone(),
            host,
            stats: stats.clone(),
            lost: LogLimiter::default(),
        };
        let mut task = JoinSet::new();
        task.spawn(work.run(inbox));
        (Self { orders, queued, overflow, task, stats }, Wake(Some(woken)))
    }

    /// Takes events. With an ack this waits until there is room; without, what finds no room is lost and counted, so
    /// that a slow disk holds up nobody else.
    pub(crate) async fn append(&self, batch: Batch, ack: Option<AckSender>) {
        let events = batch.len();
        let has_room = self.queued.fetch_add(events, Ordering::Relaxed) + events <= CAPACITY;
        let taken = match ack {
            Some(ack) => self.orders.send(Order::Append(batch, Some(ack))).await.is_ok(),
            None => has_room && self.orders.try_send(Order::Append(batch, None)).is_ok(),
        };
        if !taken {
            self.queued.fetch_sub(events, Ordering::Relaxed);
            self.overflow.fetch_add(events as u64, Ordering::Relaxed);
        }
    }

    /// Returns when all events that were taken are in the journal, or lost.
    pub(crate) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.orders.send(Order::Flush(done)).await.is_ok() {
            let _ = flushed.await;
        }
    }

    /// Lets all events go into the journal, before the deadline.
    pub(crate) async fn close(mut self, deadline: Instant) {
        drop(self.orders);
        if timeout_at(deadline, self.task.join_next()).await.is_err() {
            let lost = self.queued.load(Ordering::Relaxed) as u64 + self.overflow.swap(0, Ordering::Relaxed);
            self.stats.add(Count::Unfinished, lost);
            error!(
                plugin = "decision_logs",
                sink = self.stats.sink(),
                events = lost,
                "The disk was too slow for the last decisions."
            );
        }
    }
}

struct Worker {
    writer: Offloaded<Writer>,
    usage: Usage,
    sync: SyncPolicy,
    refuses: bool,
    wake: watch::Sender<()>,
    /// When what was written last has to be on disk.
    unsynced: Option<Instant>,
    queued: Arc<AtomicUsize>,
    overflow: Arc<AtomicU64>,
    host: Host,
    stats: Arc<SinkStats>,
    lost: LogLimiter,
}

impl Worker {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        loop {
            let mut group = Vec::new();
            tokio::select! {
                count = orders.recv_many(&mut group, GROUP) => match count {
                    0 => break,
                    _ => self.handle(group).await,
                },
                () = reached(self.unsynced) => self.settle().await,
            }
        }
        self.note_overflow();
        if self.sync != SyncPolicy::Never {
            self.settle().await;
        }
    }

    /// Counts what has found no room since the last time.
    fn note_overflow(&mut self) {
        let lost = self.overflow.swap(0, Ordering::Relaxed);
        self.note(Count::DiskFailed, lost, "dropped", "the disk is too slow for them");
    }

    async fn handle(&mut self, group: Vec<Order>) {
        self.note_overflow();
        let (mut batches, mut acks, mut flushes) = (Vec::new(), Vec::new(), Vec::new());
        for order in group {
            match order {
                Order::Append(batch, ack) => {
                    self.queued.fetch_sub(batch.len(), Ordering::Relaxed);
                    batches.push(batch);
                    acks.push(ack);
                }
                Order::Flush(done) => flushes.push(done),
            }
        }
        if !batches.is_empty() {
            self.append(batches, acks).await;
        }
        for done in flushes {
            let _ = done.send(());
        }
    }

    async fn append(&mut self, batches: Vec<Batch>, acks: Vec<Option<AckSender>>) {
        let sizes: Vec<_> = batches.iter().map(|batch| batch.len() as u64).collect();
        let at_once = self.sync == SyncPolicy::Always;
        let (dropped, results) = self.writer.work(move |writer| put(writer, &batches, at_once)).await;
        self.wake.send_replace(());
        self.stats.on_disk(&self.usage);
        if let (SyncPolicy::Interval(pause), None) = (self.sync, self.unsynced) {
            self.unsynced = Some(Instant::now() + pause);
        }
        self.note(Count::DiskFull, dropped, "dropped", "the journal is full, and the oldest make room");
        for ((events, result), ack) in sizes.into_iter().zip(results).zip(acks) {
            let told = match result {
                Err(error) if self.refuses => {
                    self.note(Count::DiskRefused, events, "refused", &error.to_string());
                    Err(AckError::from(error))
                }
                Err(error) => {
                    self.note(Count::DiskFailed, events, "dropped", &error.to_string());
                    Ok(())
                }
                Ok(()) => Ok(()),
            };
            if let Some(ack) = ack {
                let _ = ack.send(told);
            }
        }
    }

    /// Makes what was written reach the disk.
    async fn settle(&mut self) {
        self.unsynced = None;
        if let Err(error) = self.writer.work(Writer::sync).await {
            warn!(
                plugin = "decision_logs",
                sink = self.stats.sink(),
                "Decisions may not have reached the disk: {error}"
            );
        }
    }

    fn note(&mut self, count: Count, events: u64, what: &str, why: &str) {
        self.stats.add(count, events);
        if let Some(events) = self.lost.due(events) {
            error!(plugin = "decision_logs", sink = self.stats.sink(), events, "Decisions {what}: {why}");
            self.stats.report(&self.host);
        }
    }
}

/// Writes batches: all at once, or one by one if they do not fit together, so that each has its own fate. Says how many
/// older events made room, and what became of each batch.
fn put(writer: &mut Writer, batches: &[Batch], at_once: bool) -> (u64, Vec<Result<(), AppendError>>) {
    let mut dropped = 0;
    let mut append = |writer: &mut Writer, batches: &[Batch]| {
        let appended = writer.append(batches.iter().flat_map(|batch| batch.iter()).map(|event| &event.json()[..]))?;
        dropped += appended.dropped;
        Ok(())
    };
    let mut results = match append(writer, batches) {
        Err(AppendError::Full { .. } | AppendError::TooLarge { .. }) if batches.len() > 1 => {
            batches.iter().map(|batch| append(writer, std::slice::from_ref(batch))).collect()
        }
        all => vec![all; batches.len()],
    };
    if at_once
        && results.iter().any(Result::is_ok)
        && let Err(error) = writer.sync()
    {
        results.fill(Err(error));
    }
    (dropped, results)
}

#[cfg(test)]
mod tests;
