//! A lane to a sink that takes events as they are: the console, or a plugin.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use regent_core::decision::{EncodedEvent, RefusedEvents, SinkHandle};
use regent_core::{Error, ErrorKind, Host};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

use super::{Batch, LaneOrder};
use crate::config::Reporting;
use crate::counters::{Count, Tally};
use crate::notice::Notice;
use regent_core::backoff;

/// Events offered to the sink at once.
pub(super) const BATCH: usize = 256;

/// Longest wait between two tries of the same batch.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What the lane is told.
pub(crate) enum Order {
    /// Take events.
    Events(Batch),
    /// Deliver what is left before the moment, and end.
    Stop(Instant),
}

impl LaneOrder for Order {
    fn events(batch: Batch) -> Self {
        Self::Events(batch)
    }

    fn stop(deadline: Instant) -> Self {
        Self::Stop(deadline)
    }
}

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
}

/// The lane's state.
pub(crate) struct Fifo {
    sink: Arc<dyn SinkHandle>,
    bounds: Bounds,
    waiting: VecDeque<EncodedEvent>,
    /// Bytes of what waits.
    bytes: usize,
    delivery: Option<Delivery>,
    /// Tries of the present batch that failed.
    failures: u32,
    /// What an event that finds the buffer full is counted as.
    overflow: Count,
    host: Host,
    tally: Arc<Tally>,
    dropped: Notice,
    refused: Notice,
}

impl Fifo {
    pub(crate) fn new(
        sink: Arc<dyn SinkHandle>,
        bounds: Bounds,
        overflow: Count,
        host: Host,
        tally: Arc<Tally>,
    ) -> Self {
        let (dropped, refused) = Default::default();
        let waiting = VecDeque::new();
        Self { sink, bounds, waiting, bytes: 0, delivery: None, failures: 0, overflow, host, tally, dropped, refused }
    }

    /// Works until told to stop.
    pub(crate) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let deadline = loop {
            self.deliver();
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Events(batch)) => self.buffer(&batch),
                    Some(Order::Stop(deadline)) => break deadline,
                    None => break Instant::now(),
                },
                result = done(&mut self.delivery) => self.settle(result),
            }
        };
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
        self.tally.add(Count::Unfinished, left);
        warn!(
            plugin = "decision_logs",
            sink = self.tally.sink(),
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
        self.tally.add(self.overflow, excess);
        self.tally.waiting(self.left());
        if let Some(events) = self.dropped.happened(excess) {
            let sink = self.tally.sink();
            warn!(plugin = "decision_logs", sink, events, "Dropped events because the receiver is too slow.");
            self.tally.report(&self.host);
        }
    }

    /// Events that the sink has not taken.
    fn left(&self) -> u64 {
        (self.waiting.len() + self.delivery.as_ref().map_or(0, |delivery| delivery.batch.len())) as u64
    }

    /// Says in status whether something is wrong with the sink.
    fn tell(&self, trouble: Option<&str>) {
        if self.tally.trouble(trouble) {
            self.tally.report(&self.host);
        }
    }

    /// Begins the next delivery unless one is under way.
    fn deliver(&mut self) {
        if self.delivery.is_none() && !self.waiting.is_empty() {
            let size = self.waiting.len().min(BATCH);
            let batch: Batch = self.waiting.drain(..size).collect();
            self.bytes -= batch.iter().map(|event| event.json().len()).sum::<usize>();
            self.offer(batch, Duration::ZERO);
        }
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
        let Err(error) = result else {
            self.failures = 0;
            self.tally.waiting(self.left());
            self.tell(None);
            return;
        };
        let (sink, why) = (self.tally.sink(), error.chain());
        if error.kind() == ErrorKind::Unavailable {
            if let Some(times) = self.refused.happened(1) {
                warn!(plugin = "decision_logs", sink, times, "Decision log receiver unavailable: {why}");
            }
            self.tell(Some(&why));
            self.failures = self.failures.saturating_add(1);
            self.offer(delivery.batch, backoff::after(self.failures, LONGEST_WAIT));
            return;
        }
        self.failures = 0;
        let events = RefusedEvents::lost(&error, delivery.batch.len()) as u64;
        self.tally.add(Count::PluginRefused, events);
        self.tally.waiting(self.left());
        if let Some(events) = self.refused.happened(events) {
            warn!(plugin = "decision_logs", sink, events, "Decision log receiver refused events: {why}");
            self.tally.report(&self.host);
        }
        self.tell(None);
    }
}

/// The outcome of the delivery; never, if there is none.
async fn done(delivery: &mut Option<Delivery>) -> Result<(), Error> {
    match delivery {
        Some(delivery) => delivery.done.as_mut().await,
        None => pending().await,
    }
}
