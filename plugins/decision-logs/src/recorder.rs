//! Where requests leave their events: a queue that nobody waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use regent_core::Error;
use regent_core::decision::{DecisionEvent, DecisionRecorder};
use tokio::sync::mpsc;

use crate::config::Config;
use crate::counters::{Count, Counters};

/// Events that may wait to be shaped. This is a cushion for bursts; what waits for a receiver waits in a lane.
pub(crate) const QUEUE: usize = 10_000;

/// Takes events from requests.
pub(crate) struct Recorder {
    queue: mpsc::Sender<DecisionEvent>,
    counters: Arc<Counters>,
    /// Events dropped since someone last asked.
    dropped: AtomicU64,
    /// Names of the request headers that events show.
    headers: ArcSwap<Vec<String>>,
}

impl Recorder {
    /// The recorder and where its events come out.
    pub(crate) fn new(config: &Config, counters: Arc<Counters>) -> (Arc<Self>, mpsc::Receiver<DecisionEvent>) {
        let (queue, events) = mpsc::channel(QUEUE);
        let recorder = Self { queue, counters, dropped: AtomicU64::new(0), headers: ArcSwap::default() };
        recorder.reconfigure(config);
        (Arc::new(recorder), events)
    }

    /// Takes the names of headers from another configuration.
    pub(crate) fn reconfigure(&self, config: &Config) {
        let names = config.request_context.http.headers.iter().map(|name| name.to_ascii_lowercase()).collect();
        self.headers.store(Arc::new(names));
    }

    /// Events dropped since the last call.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

impl DecisionRecorder for Recorder {
    fn headers(&self) -> Arc<Vec<String>> {
        self.headers.load_full()
    }

    /// Never fails: an event that finds the queue full, or its reader gone, is dropped and counted.
    fn record(&self, event: DecisionEvent) -> Result<(), Error> {
        if self.queue.try_send(event).is_err() {
            self.counters.add(Count::BufferEvents, 1);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}
