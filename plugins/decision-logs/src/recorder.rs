//! Where requests leave their events: a queue that nobody waits for, unless their records have to be safe first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use regent_core::decision::{DecisionEvent, DecisionRecorder, Safekeeping};
use regent_core::{Error, ErrorKind};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::config::Config;
use crate::counters::{Count, Counters};
use crate::error::KeepError;
use crate::lane::Receipt;

/// Events that may wait to be shaped. This is a cushion for bursts; what waits for a receiver waits in a lane.
pub(crate) const QUEUE: usize = 10_000;

/// An event, and who waits for it to be safe.
pub(crate) struct QueuedEvent {
    pub(crate) event: Box<DecisionEvent>,
    pub(crate) receipt: Option<Receipt>,
}

/// Takes events from requests.
pub(crate) struct Recorder {
    queue: mpsc::Sender<QueuedEvent>,
    counters: Arc<Counters>,
    /// Events dropped since someone last asked.
    dropped: AtomicU64,
    /// Names of the request headers that events show, if they show any.
    headers: ArcSwapOption<Vec<String>>,
    /// Whether answers wait until their events are on disk.
    holds: AtomicBool,
}

impl Recorder {
    /// The recorder and where its events come out.
    pub(crate) fn new(config: &Config, counters: Arc<Counters>) -> (Arc<Self>, mpsc::Receiver<QueuedEvent>) {
        let (queue, events) = mpsc::channel(QUEUE);
        let (dropped, headers, holds) = Default::default();
        let recorder = Self { queue, counters, dropped, headers, holds };
        recorder.reconfigure(config);
        (Arc::new(recorder), events)
    }

    /// Goes by another configuration.
    pub(crate) fn reconfigure(&self, config: &Config) {
        let names = config.request_context.http.headers.iter().map(|name| name.to_ascii_lowercase());
        let names = Some(names.collect::<Vec<_>>()).filter(|names| !names.is_empty());
        self.headers.store(names.map(Arc::new));
        self.holds.store(config.holds_answers(), Ordering::Relaxed);
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
    fn hold(&self, event: Box<DecisionEvent>) -> Safekeeping {
        let (receipt, safe) = oneshot::channel();
        let sent = self.queue.try_send(QueuedEvent { event, receipt: Some(receipt) });
        let queue = self.queue.clone();
        Box::pin(async move {
            match sent {
                Err(TrySendError::Full(arrival)) => queue.send(arrival).await.map_err(|_| lost(&ended()))?,
                Err(TrySendError::Closed(_)) => return Err(lost(&ended())),
                Ok(()) => {}
            }
            drop(queue);
            safe.await.unwrap_or_else(|_| Err(ended())).map_err(|error| lost(&error))
        })
    }
}

impl DecisionRecorder for Recorder {
    fn headers(&self) -> Option<Arc<Vec<String>>> {
        self.headers.load_full()
    }

    /// Never fails: an event that finds the queue full, or its reader gone, is dropped and counted; or waits, where its
    /// answer waits too.
    fn record(&self, event: Box<DecisionEvent>) -> Result<Option<Safekeeping>, Error> {
        if self.holds.load(Ordering::Relaxed) {
            return Ok(Some(self.hold(event)));
        }
        if self.queue.try_send(QueuedEvent { event, receipt: None }).is_err() {
            self.drop_one();
        }
        Ok(None)
    }
}

fn ended() -> KeepError {
    KeepError::Closed("decision logs have ended".to_owned())
}

fn lost(error: &KeepError) -> Error {
    Error::new(ErrorKind::Unavailable, error.to_string())
}
