//! Puts the events of one lane into its journal, and says when they are safe.
//!
//! All that has come while the disk was busy goes in at once, so that many answers share one wait for the disk.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use regent_core::Host;
use regent_core::offloaded::Offloaded;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{error, warn};

use super::Batch;
use crate::config::{Disk, SyncPolicy};
use crate::counters::{Count, Tally};
use crate::error::KeepError;
use crate::journal::{AppendError, Gauge, Writer};
use crate::notice::Notice;

/// Events, and so batches, that may wait while the disk is busy.
const CAPACITY: usize = 10_000;

/// Batches that go into the journal at once.
const GROUP: usize = 1024;

/// Says whether events are safe.
pub(crate) type Receipt = oneshot::Sender<Result<(), KeepError>>;

enum Order {
    Keep(Batch, Option<Receipt>),
    /// Say when all that came before is in the journal.
    Flush(oneshot::Sender<()>),
}

/// A keeper's task.
pub(crate) struct Keeper {
    orders: mpsc::Sender<Order>,
    /// Events in orders that wait.
    queued: Arc<AtomicUsize>,
    /// Events that found no room, until the task says so.
    overflow: Arc<AtomicU64>,
    /// A set of one, because a set ends its tasks when it is dropped.
    task: JoinSet<()>,
    tally: Arc<Tally>,
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

impl Keeper {
    pub(crate) fn start(writer: Writer, gauge: Gauge, disk: &Disk, host: Host, tally: Arc<Tally>) -> (Self, Wake) {
        let (orders, inbox) = mpsc::channel(CAPACITY);
        let (wake, woken) = watch::channel(());
        let (queued, overflow) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
        let work = Worker {
            writer: Offloaded::new(writer),
            gauge,
            sync: disk.sync,
            refuses: disk.refuses,
            wake,
            unsynced: None,
            queued: queued.clone(),
            overflow: overflow.clone(),
            host,
            tally: tally.clone(),
            lost: Notice::default(),
        };
        let mut task = JoinSet::new();
        task.spawn(work.run(inbox));
        (Self { orders, queued, overflow, task, tally }, Wake(Some(woken)))
    }

    /// Takes events. With a receipt this waits until there is room; without, what finds no room is lost and counted, so
    /// that a slow disk holds up nobody else.
    pub(crate) async fn keep(&self, batch: Batch, receipt: Option<Receipt>) {
        let events = batch.len();
        let has_room = self.queued.fetch_add(events, Ordering::Relaxed) + events <= CAPACITY;
        let taken = match receipt {
            Some(receipt) => self.orders.send(Order::Keep(batch, Some(receipt))).await.is_ok(),
            None => has_room && self.orders.try_send(Order::Keep(batch, None)).is_ok(),
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
            self.tally.add(Count::Unfinished, lost);
            error!(
                plugin = "decision_logs",
                sink = self.tally.sink(),
                events = lost,
                "The disk was too slow for the last decisions."
            );
        }
    }
}

struct Worker {
    writer: Offloaded<Writer>,
    gauge: Gauge,
    sync: SyncPolicy,
    refuses: bool,
    wake: watch::Sender<()>,
    /// When what was written last has to be on disk.
    unsynced: Option<Instant>,
    queued: Arc<AtomicUsize>,
    overflow: Arc<AtomicU64>,
    host: Host,
    tally: Arc<Tally>,
    lost: Notice,
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
                () = due(self.unsynced) => self.settle().await,
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
        let (mut batches, mut receipts, mut flushes) = (Vec::new(), Vec::new(), Vec::new());
        for order in group {
            match order {
                Order::Keep(batch, receipt) => {
                    self.queued.fetch_sub(batch.len(), Ordering::Relaxed);
                    batches.push(batch);
                    receipts.push(receipt);
                }
                Order::Flush(done) => flushes.push(done),
            }
        }
        if !batches.is_empty() {
            self.keep(batches, receipts).await;
        }
        for done in flushes {
            let _ = done.send(());
        }
    }

    async fn keep(&mut self, batches: Vec<Batch>, receipts: Vec<Option<Receipt>>) {
        let sizes: Vec<_> = batches.iter().map(|batch| batch.len() as u64).collect();
        let at_once = self.sync == SyncPolicy::Always;
        let (dropped, results) = self.writer.work(move |writer| put(writer, &batches, at_once)).await;
        self.wake.send_replace(());
        self.tally.on_disk(&self.gauge);
        if let (SyncPolicy::Interval(pause), None) = (self.sync, self.unsynced) {
            self.unsynced = Some(Instant::now() + pause);
        }
        self.note(Count::DiskFull, dropped, "dropped", "the journal is full, and the oldest make room");
        for ((events, result), receipt) in sizes.into_iter().zip(results).zip(receipts) {
            let told = match result {
                Err(error) if self.refuses => {
                    self.note(Count::DiskRefused, events, "refused", &error.to_string());
                    Err(KeepError::from(error))
                }
                Err(error) => {
                    self.note(Count::DiskFailed, events, "dropped", &error.to_string());
                    Ok(())
                }
                Ok(()) => Ok(()),
            };
            if let Some(receipt) = receipt {
                let _ = receipt.send(told);
            }
        }
    }

    /// Makes what was written reach the disk.
    async fn settle(&mut self) {
        self.unsynced = None;
        if let Err(error) = self.writer.work(Writer::sync).await {
            warn!(
                plugin = "decision_logs",
                sink = self.tally.sink(),
                "Decisions may not have reached the disk: {error}"
            );
        }
    }

    fn note(&mut self, count: Count, events: u64, what: &str, why: &str) {
        self.tally.add(count, events);
        if let Some(events) = self.lost.happened(events) {
            error!(plugin = "decision_logs", sink = self.tally.sink(), events, "Decisions {what}: {why}");
            self.tally.report(&self.host);
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

/// Waits for the moment; forever, if there is none.
async fn due(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
