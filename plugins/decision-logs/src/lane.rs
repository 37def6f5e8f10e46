//! Lanes: one task for each receiver of events, with a buffer and retries of its own.
//!
//! A lane takes orders at any time, also while it waits for its receiver, so handing events to a lane waits for work at
//! most, never for a network.
//!
//! Events that wait on disk take a way of their own: the lane's appender puts them into the journal, and the lane reads it.

mod appender;
pub(crate) mod service;
pub(crate) mod sink;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use regent_core::decision::EncodedEvent;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

pub(crate) use appender::{Appender, Wake};

use crate::ack::AckSender;

/// Orders that wait for a lane; more make the sender wait.
const CAPACITY: usize = 16;

/// How long before the deadline a lane gives up, so that it can still say what it leaves behind.
const FAREWELL: Duration = Duration::from_millis(100);

/// Events on their way to every lane.
pub(crate) type Batch = Arc<[EncodedEvent]>;

/// What every lane can be told.
pub(crate) trait LaneOrder: Send + 'static {
    /// Take events.
    fn events(batch: Batch) -> Self;
    /// Deliver what is left before the moment, and end.
    fn stop(deadline: Instant) -> Self;
}

/// A lane's task. Dropping it ends the task at once.
pub(crate) struct Lane<O> {
    orders: mpsc::Sender<O>,
    /// A set of one, because a set ends its tasks when it is dropped.
    task: JoinSet<()>,
    appender: Option<Appender>,
}

impl<O: LaneOrder> Lane<O> {
    /// Starts a lane; with an appender if its events wait on disk.
    pub(crate) fn start<F>(appender: Option<Appender>, life: impl FnOnce(mpsc::Receiver<O>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (orders, inbox) = mpsc::channel(CAPACITY);
        let mut task = JoinSet::new();
        task.spawn(life(inbox));
        Self { orders, task, appender }
    }

    /// Hands events over; false if the lane has ended, which is a bug in it. The ack is for lanes on disk.
    pub(crate) async fn record(&self, events: Batch, ack: Option<AckSender>) -> bool {
        match &self.appender {
            Some(appender) => appender.append(events, ack).await,
            None => return self.tell(O::events(events)).await,
        }
        true
    }

    /// Whether events of this lane wait on disk.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.appender.is_some()
    }

    /// Returns when the lane finds all events that were handed over before.
    pub(crate) async fn flush(&self) {
        if let Some(appender) = &self.appender {
            appender.flush().await;
        }
    }

    /// Gives an order; false if the lane has ended, which is a bug in it.
    pub(crate) async fn tell(&self, order: O) -> bool {
        self.orders.send(order).await.is_ok()
    }

    /// Ends the lane to make place for another one. What is safe on disk stays there; all else may be delivered before
    /// the deadline.
    pub(crate) async fn leave(mut self, deadline: Instant) {
        match self.appender.take() {
            Some(appender) => {
                appender.close(deadline).await;
                self.stop(Instant::now() + FAREWELL).await;
            }
            None => self.stop(deadline).await,
        }
    }

    /// Lets the lane finish before the deadline.
    pub(crate) async fn stop(mut self, deadline: Instant) {
        if let Some(appender) = self.appender.take() {
            appender.close(deadline).await;
        }
        let early = deadline - FAREWELL.min(deadline.saturating_duration_since(Instant::now()) / 5);
        if self.tell(O::stop(early)).await {
            let _ = timeout_at(deadline, self.task.join_next()).await;
        }
    }
}
