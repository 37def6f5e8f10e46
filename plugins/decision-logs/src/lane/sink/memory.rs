//! A lane from memory to a sink: events wait in a bounded queue, and the oldest make room.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use regent_core::decision::{BatchSettings, EncodedEvent, SinkHandle};
use regent_core::log_limiter::LogLimiter;
use regent_core::timer::reached;
use regent_core::{Error, Host};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

use super::{Batch, Retrier, SinkOrder};
use crate::config::Reporting;
use crate::counters::{Count, SinkStats};

/// A batch that the sink is taking.
struct Delivery {
    batch: Batch,
    done: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>,
}

/// What may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    events: usize,
    bytes: usize,
}

impl Bounds {
    pub(crate) fn of(reporting: &Reporting) -> Self {
        Self { events: reporting.buffered_events(), bytes: reporting.buffered_bytes() }
    }

    /// What a sink wants, but not more than lets others come while it fills.
    fn within(self, wanted: BatchSettings) -> BatchSettings {
        let half = |bound: usize| (bound / 2).max(1);
        BatchSettings {
            events: wanted.events.min(half(self.events)),
            bytes: wanted.bytes.min(half(self.bytes)),
            ..wanted
        }
    }
}

/// The lane's state.
pub(crate) struct MemorySinkLane {
    sink: Arc<dyn SinkHandle>,
    bounds: Bounds,
    waiting: VecDeque<EncodedEvent>,
    /// Bytes of what waits.
    bytes: usize,
    /// When what waits is offered, if the sink would rather have more.
    due: Option<Instant>,
    /// Nothing more will come, so nothing is waited for.
    is_ending: bool,
    delivery: Option<Delivery>,
    retrier: Retrier,
    /// What an event that finds the buffer full is counted as.
    overflow: Count,
    host: Host,
    stats: Arc<SinkStats>,
    dropped: LogLimiter,
}

impl MemorySinkLane {
    pub(crate) fn new(
        sink: Arc<dyn SinkHandle>,
        bounds: Bounds,
        overflow: Count,
        host: Host,
        stats: Arc<SinkStats>,
    ) -> Self {
        let retrier = Retrier::new(host.clone(), stats.clone());
        let (waiting, bytes, due, is_ending, delivery, dropped) = Default::default();
        Self { sink, bounds, waiting, bytes, due, is_ending, delivery, retrier, overflow, host, stats, dropped }
    }

    /// Works until told to stop.
    pub(crate) async fn run(mut self, mut orders: mpsc::Receiver<SinkOrder>) {
        let deadline = loop {
            self.deliver();
            tokio::select! {
                order = orders.recv() => match order {
                    Some(SinkOrder::Events(batch)) => self.buffer(&batch),
                    Some(SinkOrder::Stop(deadline)) => break deadline,
                    None => break Instant::now(),
                },
                result = done(&mut self.delivery) => self.settle(result),
                () = reached(self.due) => {}
            }
        };
        self.is_ending = true;
        self.finish(deadline).await;
    }

    async fn finish(&mut self, deadline: Instant) {
        loop {
            self.deliver();
            if self.delivery.is_none() {
                return;
            }
            tokio::select! {
                result = done(&mut self.delivery) => self.settle(result),
                () = sleep_until(deadline) => break,
            }
        }
        let left = self.left();
        self.stats.add(Count::Unfinished, left);
        warn!(
            plugin = "decision_logs",
            sink = self.stats.sink(),
            events = left,
            "Plugin stopped with decisions possibly still in buffer."
        );
    }

    fn buffer(&mut self, batch: &[EncodedEvent]) {
        self.bytes += batch.iter().map(|event| event.json().len()).sum::<usize>();
        self.waiting.extend(batch.iter().cloned());
        let mut excess = 0;
        while self.waiting.len() > self.bounds.events || self.bytes > self.bounds.bytes {
            let Some(oldest) = self.waiting.pop_front() else { break };
            self.bytes -= oldest.json().len();
            excess += 1;
        }
        self.stats.add(self.overflow, excess);
        self.stats.waiting(self.left());
        if let Some(events) = self.dropped.due(excess) {
            let sink = self.stats.sink();
            warn!(plugin = "decision_logs", sink, events, "Dropped events because the receiver is too slow.");
            self.stats.report(&self.host);
        }
    }

    /// Events that the sink has not taken.
    fn left(&self) -> u64 {
        (self.waiting.len() + self.delivery.as_ref().map_or(0, |delivery| delivery.batch.len())) as u64
    }

    /// Begins the next delivery unless one is under way, or more is to be waited for.
    fn deliver(&mut self) {
        if self.delivery.is_some() || self.waiting.is_empty() {
            return;
        }
        let wanted = self.bounds.within(self.sink.batch_settings());
        let is_enough = self.waiting.len() >= wanted.events || self.bytes >= wanted.bytes || self.is_ending;
        let now = Instant::now();
        let due = *self.due.get_or_insert(now + wanted.wait);
        if is_enough || due <= now {
            let batch = self.take(wanted);
            self.due = None;
            self.offer(batch, Duration::ZERO);
        }
    }

    fn take(&mut self, wanted: BatchSettings) -> Batch {
        let (mut size, mut bytes) = (0, 0);
        while size < self.waiting.len().min(wanted.events) && bytes < wanted.bytes {
            bytes += self.waiting[size].json().len();
            size += 1;
        }
        self.bytes -= bytes;
        self.waiting.drain(..size).collect()
    }

    fn offer(&mut self, batch: Batch, wait: Duration) {
        let (sink, events) = (self.sink.clone(), batch.clone());
        let done = Box::pin(async move {
            sleep(wait).await;
            sink.write(events).await
        });
        self.delivery = Some(Delivery { batch, done });
    }

    fn settle(&mut self, result: Result<(), Error>) {
        let Some(delivery) = self.delivery.take() else { return };
        if !Retrier::is_retriable(&result) {
            self.stats.waiting(self.left());
        }
        if let Some(pause) = self.retrier.settle(result, delivery.batch.len()) {
            self.offer(delivery.batch, pause);
        }
    }
}

/// The outcome of the delivery; never, if there is none.
async fn done(delivery: &mut Option<Delivery>) -> Result<(), Error> {
    match delivery {
        Some(delivery) => delivery.done.as_mut().await,
        None => pending().await,
    }
}
