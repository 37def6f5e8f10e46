//! A lane to a sink that takes events as they are: the console, or a plugin.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use regent_core::decision::{DecisionEvent, SinkHandle};
use regent_core::{Error, ErrorKind};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

use super::{Batch, LaneOrder};
use crate::counters::{Count, Counters};
use crate::notice::Notice;
use regent_core::backoff;

/// Events that may wait; as many as OPA's event buffer holds by default.
const BUFFER: usize = 10_000;

/// Events offered to the sink at once.
const BATCH: usize = 256;

/// Longest wait between two tries of the same batch.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

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

/// The lane's state.
pub(crate) struct Fifo {
    /// The receiver's name, for the log.
    receiver: String,
    sink: Arc<dyn SinkHandle>,
    waiting: VecDeque<DecisionEvent>,
    delivery: Option<Delivery>,
    /// Tries of the present batch that failed.
    failures: u32,
    /// What an event that finds the buffer full is counted as.
    overflow: Count,
    counters: Arc<Counters>,
    dropped: Notice,
    refused: Notice,
}

impl Fifo {
    pub(crate) fn new(receiver: String, sink: Arc<dyn SinkHandle>, overflow: Count, counters: Arc<Counters>) -> Self {
        let (dropped, refused) = Default::default();
        let waiting = VecDeque::new();
        Self { receiver, sink, waiting, delivery: None, failures: 0, overflow, counters, dropped, refused }
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
        let left = self.waiting.len() + self.delivery.as_ref().map_or(0, |delivery| delivery.batch.len());
        self.counters.add(Count::Unfinished, left as u64);
        warn!(
            plugin = "decision_logs",
            receiver = self.receiver,
            events = left,
            "Plugin stopped with decisions possibly still in buffer."
        );
    }

    fn buffer(&mut self, batch: &[DecisionEvent]) {
        self.waiting.extend(batch.iter().cloned());
        let excess = self.waiting.len().saturating_sub(BUFFER);
        self.waiting.drain(..excess);
        self.counters.add(self.overflow, excess as u64);
        if let Some(events) = self.dropped.happened(excess as u64) {
            let receiver = &self.receiver;
            warn!(plugin = "decision_logs", receiver, events, "Dropped events because the receiver is too slow.");
        }
    }

    /// Begins the next delivery unless one is under way.
    fn deliver(&mut self) {
        if self.delivery.is_none() && !self.waiting.is_empty() {
            let size = self.waiting.len().min(BATCH);
            let batch = self.waiting.drain(..size).collect();
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
            return;
        };
        let (receiver, why) = (&self.receiver, error.chain());
        if error.kind() == ErrorKind::Unavailable {
            if let Some(times) = self.refused.happened(1) {
                warn!(plugin = "decision_logs", receiver, times, "Decision log receiver unavailable: {why}");
            }
            self.failures = self.failures.saturating_add(1);
            self.offer(delivery.batch, backoff::after(self.failures, LONGEST_WAIT));
            return;
        }
        self.failures = 0;
        let events = delivery.batch.len() as u64;
        self.counters.add(Count::PluginRefused, events);
        if let Some(events) = self.refused.happened(events) {
            warn!(plugin = "decision_logs", receiver, events, "Decision log receiver refused events: {why}");
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
