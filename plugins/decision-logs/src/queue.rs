//! Where requests leave their events: a queue that nobody waits for, unless answers wait for acks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use regent_core::Error;
use regent_core::decision::{Ack, DecisionEvent, DecisionRecorder};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::ack::{AckError, AckSender};
use crate::config::Config;
use crate::counters::{Count, Counters};

/// Events that may wait to be shaped. This is a cushion for bursts; what waits for a receiver waits in a lane.
pub(crate) const QUEUE: usize = 10_000;

/// An event, and who waits for its ack.
pub(crate) struct QueuedEvent {
    pub(crate) event: Box<DecisionEvent>,
    pub(crate) ack: Option<AckSender>,
}

/// Takes events from requests.
pub(crate) struct EventSender {
    queue: mpsc::Sender<QueuedEvent>,
    counters: Arc<Counters>,
    /// Events dropped since someone last asked.
    dropped: AtomicU64,
    /// Names of the request headers that events show, if they show any.
    headers: ArcSwapOption<Vec<String>>,
    /// Whether answers wait until their events are on disk.
    awaits_acks: AtomicBool,
}

impl EventSender {
    /// The sender and where its events come out.
    pub(crate) fn new(config: &Config, counters: Arc<Counters>) -> (Arc<Self>, mpsc::Receiver<QueuedEvent>) {
        let (queue, events) = mpsc::channel(QUEUE);
        let (dropped, headers, awaits_acks) = Default::default();
        let sender = Self { queue, counters, dropped, headers, awaits_acks };
        sender.reconfigure(config);
        (Arc::new(sender), events)
    }

    /// Goes by another configuration.
    pub(crate) fn reconfigure(&self, config: &Config) {
        let names = config.request_context.http.headers.iter().map(|name| name.to_ascii_lowercase());
        let names = Some(names.collect::<Vec<_>>()).filter(|names| !names.is_empty());
        self.headers.store(names.map(Arc::new));
        self.awaits_acks.store(config.awaits_acks(), Ordering::Relaxed);
    }

    /// Events dropped since the last call.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }

    fn drop_one(&self) {
        self.counters.add(Count::BufferEvents, 1);
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// The event goes into the queue at once if there is room, so that it is recorded even if the client leaves.
    fn send_for_ack(&self, event: Box<DecisionEvent>) -> Ack {
        let (ack, acked) = oneshot::channel();
        let sent = self.queue.try_send(QueuedEvent { event, ack: Some(ack) });
        let queue = self.queue.clone();
        Box::pin(async move {
            match sent {
                Err(TrySendError::Full(arrival)) => queue.send(arrival).await.map_err(|_| Error::from(ended()))?,
                Err(TrySendError::Closed(_)) => return Err(Error::from(ended())),
                Ok(()) => {}
            }
            drop(queue);
            acked.await.unwrap_or_else(|_| Err(ended())).map_err(Error::from)
        })
    }
}

impl DecisionRecorder for EventSender {
    fn headers(&self) -> Option<Arc<Vec<String>>> {
        self.headers.load_full()
    }

    /// Never fails: an event that finds the queue full, or its reader gone, is dropped and counted; or waits, where its
    /// answer waits too.
    fn record(&self, event: Box<DecisionEvent>) -> Result<Option<Ack>, Error> {
        if self.awaits_acks.load(Ordering::Relaxed) {
            return Ok(Some(self.send_for_ack(event)));
        }
        if self.queue.try_send(QueuedEvent { event, ack: None }).is_err() {
            self.drop_one();
        }
        Ok(None)
    }
}

fn ended() -> AckError {
    AckError::Closed("decision logs have ended".to_owned())
}
