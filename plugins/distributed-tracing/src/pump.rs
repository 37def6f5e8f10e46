//! Takes spans out of the queue and delivers them, many at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::Counter;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

use crate::config::Batching;

/// Delivers what is in the queue.
pub(crate) struct Pump {
    pub(crate) spans: Receiver<SpanData>,
    pub(crate) exporter: SpanExporter,
    pub(crate) batching: Batching,
    /// Counts the spans that could not be delivered.
    pub(crate) failed: Counter,
    /// Spans that found no room, of which the log does not tell yet.
    pub(crate) untold: Arc<AtomicU64>,
}

impl Pump {
    /// Works until told to stop; then delivers what is left, and takes no more.
    pub(crate) async fn run(&mut self, stop: &Notify) {
        let mut batch = Vec::new();
        let mut due = None;
        loop {
            let wait = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.notified() => break,
                span = self.spans.recv() => match span {
                    Some(span) => {
                        due = due.or_else(|| Some(Instant::now() + self.batching.wait));
                        batch.push(span);
                        if batch.len() < self.batching.most {
                            continue;
                        }
                    }
                    None => break,
                },
                () = wait => {}
            }
            due = None;
            self.deliver(std::mem::take(&mut batch)).await;
        }
        self.spans.close();
        while let Some(span) = self.spans.recv().await {
            batch.push(span);
            if batch.len() >= self.batching.most {
                self.deliver(std::mem::take(&mut batch)).await;
            }
        }
        self.deliver(batch).await;
    }

    async fn deliver(&self, batch: Vec<SpanData>) {
        let count = batch.len();
        if count == 0 {
            return;
        }
        let overflow = self.untold.swap(0, Ordering::Relaxed);
        if overflow > 0 {
            tracing::warn!("Distributed tracing: {overflow} spans are lost: the queue was full; see max_queue_size");
        }
        let undelivered = Undelivered { count, failed: &self.failed };
        match self.exporter.export(batch).await {
            Ok(()) => undelivered.settle(),
            Err(error) => tracing::warn!("Distributed tracing: {count} spans are lost: {error}"),
        }
    }
}

/// Counts a batch as lost, unless it is delivered: also if the delivery is given up.
struct Undelivered<'a> {
    count: usize,
    failed: &'a Counter,
}

impl Undelivered<'_> {
    fn settle(mut self) {
        self.count = 0;
    }
}

impl Drop for Undelivered<'_> {
    fn drop(&mut self) {
        self.failed.increment(u64::try_from(self.count).unwrap_or(u64::MAX));
    }
}
