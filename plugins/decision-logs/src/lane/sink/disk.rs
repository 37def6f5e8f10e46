//! A lane from a journal to a sink: what is in the journal is offered until the sink takes it, and then forgotten.

use std::io;
use std::sync::Arc;

use regent_core::Host;
use regent_core::decision::{EncodedEvent, SinkHandle};
use regent_core::log_limiter::LogLimiter;
use regent_core::offloaded::Offloaded;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tracing::{error, info, warn};

use super::{Batch, Retrier, SinkOrder};
use crate::counters::{Count, SinkStats};
use crate::journal::{Reader, Usage};
use crate::lane::Wake;

/// The lane's state.
pub(crate) struct DiskSinkLane {
    sink: Arc<dyn SinkHandle>,
    reader: Offloaded<Reader>,
    usage: Usage,
    wake: Wake,
    retrier: Retrier,
    stats: Arc<SinkStats>,
    unreadable: LogLimiter,
    damaged: LogLimiter,
}

impl DiskSinkLane {
    pub(crate) fn new(
        sink: Arc<dyn SinkHandle>,
        reader: Reader,
        usage: Usage,
        wake: Wake,
        host: Host,
        stats: Arc<SinkStats>,
    ) -> Self {
        let (unreadable, damaged) = Default::default();
        let (reader, retrier) = (Offloaded::new(reader), Retrier::new(host, stats.clone()));
        Self { sink, reader, usage, wake, retrier, stats, unreadable, damaged }
    }

    /// Works until told to stop; the appender has closed by then.
    pub(crate) async fn run(mut self, mut orders: mpsc::Receiver<SinkOrder>) {
        let usage = self.usage.clone();
        let stats = self.stats.clone();
        let stop = async {
            while let Some(order) = orders.recv().await {
                if let SinkOrder::Stop(deadline) = order {
                    return sleep_until(deadline).await;
                }
            }
        };
        tokio::select! {
            () = self.work() => {}
            () = stop => {}
        }
        let events = usage.read().0;
        if events > 0 {
            let sink = stats.sink();
            info!(
                plugin = "decision_logs",
                sink, events, "Decisions stay on disk, to be delivered after the next start."
            );
        }
    }

    /// Delivers all that is in the journal and all that comes, until no more can come.
    async fn work(&mut self) {
        while self.fill_batch().await {
            match self.next().await {
                // What is there cannot be given out.
                Ok((_, None)) => {
                    if !self.wake.more().await {
                        return;
                    }
                }
                Ok((events, Some(below))) => {
                    self.deliver(events).await;
                    self.delivered(below).await;
                }
                Err(error) => {
                    let sink = self.stats.sink();
                    if let Some(times) = self.unreadable.due(1) {
                        warn!(plugin = "decision_logs", sink, times, "Cannot read decisions back: {error}");
                    }
                    sleep(self.retrier.pause()).await;
                }
            }
        }
    }

    /// Waits until there is as much as the sink would like to be given at once, or what there is has waited long enough;
    /// false if there is nothing and no more can come.
    async fn fill_batch(&mut self) -> bool {
        let wanted = self.sink.batch_settings();
        let mut due = None;
        loop {
            let reader = self.reader.idle().expect("all work with it is waited for");
            let events = reader.end() - reader.position();
            if events >= wanted.events as u64 || reader.ahead() >= wanted.bytes as u64 {
                return true;
            }
            if events == 0 {
                if !self.wake.more().await {
                    return false;
                }
                continue;
            }
            let due = *due.get_or_insert_with(|| Instant::now() + wanted.wait);
            match timeout_at(due, self.wake.more()).await {
                Ok(true) => {}
                Ok(false) | Err(_) => return true,
            }
        }
    }

    /// The next events, and the number behind the last one.
    async fn next(&mut self) -> io::Result<(Batch, Option<u64>)> {
        let wanted = self.sink.batch_settings();
        let (found, missing) = self
            .reader
            .work(move |reader| {
                let records = reader.next(u64::MAX, wanted.events, wanted.bytes);
                (records, reader.missing())
            })
            .await;
        self.lost(missing);
        let records = found?;
        let below = records.last().map(|last| last.number + 1);
        let all = records.len();
        let events: Vec<_> = records.into_iter().filter_map(|record| EncodedEvent::decode(record.payload)).collect();
        self.lost((all - events.len()) as u64);
        Ok((events.into(), below))
    }

    fn lost(&mut self, events: u64) {
        self.stats.add(Count::DiskDamaged, events);
        if let Some(events) = self.damaged.due(events) {
            error!(
                plugin = "decision_logs",
                sink = self.stats.sink(),
                events,
                "Decisions on disk were damaged and are lost."
            );
        }
    }

    /// Offers events until the sink takes them or refuses them for good.
    async fn deliver(&mut self, events: Batch) {
        loop {
            let result = if events.is_empty() { Ok(()) } else { self.sink.write(events.clone()).await };
            let Some(pause) = self.retrier.settle(result, events.len()) else { return };
            sleep(pause).await;
        }
    }

    async fn delivered(&mut self, below: u64) {
        if let Err(error) = self.reader.work(move |reader| reader.delivered(below)).await {
            let sink = self.stats.sink();
            warn!(plugin = "decision_logs", sink, "Cannot note what was delivered, so it may come again: {error}");
        }
        self.stats.on_disk(&self.usage);
    }
}
