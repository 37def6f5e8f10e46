//! Lanes: one task for each receiver of events, with a buffer and retries of its own.
//!
//! A lane takes orders at any time, also while it waits for its receiver, so handing events to a lane waits for work at
//! most, never for a network.

mod console;
mod fifo;
mod limiter;
mod named;
mod upload;
mod uploader;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use regent_core::decision::DecisionEvent;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

pub(crate) use console::Console;
pub(crate) use fifo::{Fifo, Order as FifoOrder};
pub(crate) use named::Named;
pub(crate) use uploader::{Order as UploadOrder, Settings, Uploader};

/// Orders that wait for a lane; more make the sender wait.
const CAPACITY: usize = 16;

/// How long before the deadline a lane gives up, so that it can still say what it leaves behind.
const FAREWELL: Duration = Duration::from_millis(100);

/// Events on their way to every lane.
pub(crate) type Batch = Arc<[DecisionEvent]>;

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
}

impl<O: LaneOrder> Lane<O> {
    pub(crate) fn start<F>(life: impl FnOnce(mpsc::Receiver<O>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (orders, inbox) = mpsc::channel(CAPACITY);
        let mut task = JoinSet::new();
        task.spawn(life(inbox));
        Self { orders, task }
    }

    /// Gives an order; false if the lane has ended, which is a bug in it.
    pub(crate) async fn tell(&self, order: O) -> bool {
        self.orders.send(order).await.is_ok()
    }

    /// Lets the lane finish before the deadline.
    pub(crate) async fn stop(mut self, deadline: Instant) {
        let early = deadline - FAREWELL.min(deadline.saturating_duration_since(Instant::now()) / 5);
        if self.tell(O::stop(early)).await {
            let _ = timeout_at(deadline, self.task.join_next()).await;
        }
    }
}
