//! A lane from a journal to a sink: what is in the journal is offered until the sink takes it, and then forgotten.

use std::io;
use std::sync::Arc;

use regent_core::decision::{EncodedEvent, RefusedEvents, SinkHandle};
use regent_core::offloaded::Offloaded;
use regent_core::{ErrorKind, Host, backoff};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tracing::{error, info, warn};

use super::Batch;
use super::fifo::{LONGEST_WAIT, Order};
use super::keeper::Wake;
use crate::counters::{Count, Tally};
use crate::journal::{Gauge, Reader};
use crate::notice::Notice;

/// The lane's state.
pub(crate) struct Relay {
    sink: Arc<dyn SinkHandle>,
    reader: Offloaded<Reader>,
    gauge: Gauge,
    wake: Wake,
    host: Host,
    tally: Arc<Tally>,
    refused: Notice,
    damaged: Notice,
}

impl Relay {
    pub(crate) fn new(
        sink: Arc<dyn SinkHandle>,
        reader: Reader,
        gauge: Gauge,
        wake: Wake,
        host: Host,
        tally: Arc<Tally>,
    ) -> Self {
        let (refused, damaged) = Default::default();
        Self { sink, reader: Offloaded::new(reader), gauge, wake, host, tally, refused, damaged }
    }

    /// Works until told to stop; the keeper has closed by then.
    pub(crate) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let gauge = self.gauge.clone();
        let tally = self.tally.clone();
        let stop = async {
            while let Some(order) = orders.recv().await {
                if let Order::Stop(deadline) = order {
                    return sleep_until(deadline).await;
                }
            }
        };
        tokio::select! {
            () = self.work() => {}
            () = stop => {}
        }
        let events = gauge.read().0;
        if events > 0 {
            let sink = tally.sink();
            info!(
                plugin = "decision_logs",
                sink, events, "Decisions stay on disk, to be delivered after the next start."
            );
        }
    }

    /// Delivers all that is in the journal and all that comes, until no more can come.
    async fn work(&mut self) {
        let mut failures = 0;
        while self.gather().await {
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
                    failures = 0;
                }
                Err(error) => {
                    failures += 1;
                    let sink = self.tally.sink();
                    if let Some(times) = self.refused.happened(1) {
                        warn!(plugin = "decision_logs", sink, times, "Cannot read decisions back: {error}");
                    }
                    sleep(backoff::after(failures, LONGEST_WAIT)).await;
                }
            }
        }
    }

    /// Waits until there is as much as the sink would like to be given at once, or what there is has waited long enough;
    /// false if there is nothing and no more can come.
    async fn gather(&mut self) -> bool {
        let wanted = self.sink.gathering();
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
        let wanted = self.sink.gathering();
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
        self.tally.add(Count::DiskDamaged, events);
        if let Some(events) = self.damaged.happened(events) {
            error!(
                plugin = "decision_logs",
                sink = self.tally.sink(),
                events,
                "Decisions on disk were damaged and are lost."
            );
        }
    }

    /// Offers events until the sink takes them or refuses them for good.
    async fn deliver(&mut self, events: Batch) {
        let mut failures = 0;
        while !events.is_empty() {
            let Err(error) = self.sink.write(events.clone()).await else { break };
            let (sink, why) = (self.tally.sink(), error.chain());
            if error.kind() != ErrorKind::Unavailable {
                let lost = RefusedEvents::lost(&error, events.len()) as u64;
                self.tally.add(Count::PluginRefused, lost);
                if let Some(events) = self.refused.happened(lost) {
                    warn!(plugin = "decision_logs", sink, events, "Decision log receiver refused events: {why}");
                }
                self.tally.report(&self.host);
                break;
            }
            if let Some(times) = self.refused.happened(1) {
                warn!(plugin = "decision_logs", sink, times, "Decision log receiver unavailable: {why}");
            }
            self.tell(Some(&why));
            failures += 1;
            sleep(backoff::after(failures, LONGEST_WAIT)).await;
        }
        self.tell(None);
    }

    fn tell(&self, trouble: Option<&str>) {
        if self.tally.trouble(trouble) {
            self.tally.report(&self.host);
        }
    }

    async fn delivered(&mut self, below: u64) {
        if let Err(error) = self.reader.work(move |reader| reader.delivered(below)).await {
            let sink = self.tally.sink();
            warn!(plugin = "decision_logs", sink, "Cannot note what was delivered, so it may come again: {error}");
        }
        self.tally.on_disk(&self.gauge);
    }
}
