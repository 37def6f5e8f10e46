//! A lane to a sink that takes events as they are: the console, or a plugin.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use regent_core::decision::{EncodedEvent, Gathering, RefusedEvents, SinkHandle};
use regent_core::{Error, ErrorKind, Host};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

use super::{Batch, LaneOrder};
use crate::config::Reporting;
use crate::counters::{Count, Tally};
use crate::notice::Notice;
use regent_core::backoff;

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

    /// What a sink wants, but not more than lets others come while it is gathered.
    fn within(self, wanted: Gathering) -> Gathering {
        let half = |bound: usize| (bound / 2).max(1);
        Gathering { events: wanted.events.min(half(self.events)), bytes: wanted.bytes.min(half(self.bytes)), ..wanted }
    }
}

/// The lane's state.
pub(crate) struct Fifo {
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
        let (bytes, failures, due, is_ending, delivery) = Default::default();
        Self {
            sink,
            bounds,
            waiting,
            bytes,
            due,
            is_ending,
            delivery,
            failures,
            overflow,
            host,
            tally,
            dropped,
            refused,
        }
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

    /// Begins the next delivery unless one is under way, or more is to be waited for.
    fn deliver(&mut self) {
        if self.delivery.is_some() || self.waiting.is_empty() {
            return;
        }
        let wanted = self.bounds.within(self.sink.gathering());
        let is_enough = self.waiting.len() >= wanted.events || self.bytes >= wanted.bytes || self.is_ending;
        let now = Instant::now();
        let due = *self.due.get_or_insert(now + wanted.wait);
        if is_enough || due <= now {
            let batch = self.take(wanted);
            self.due = None;
            self.offer(batch, Duration::ZERO);
        }
    }

    fn take(&mut self, wanted: Gathering) -> Batch {
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

/// Waits for the moment; forever, if there is none.
async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}
