//! The lane to a service: buffers events as chunks and uploads them from time to time.
//!
//! Uploads come in *rounds*. A round sends, one after the other, all chunks that were there when it began, and ends at
//! the first failure; the chunk that failed goes back to where it was. After each round status is told how it went.

mod buffer;
mod flush;
mod limiter;
mod round;
mod settings;
mod upload;

use std::sync::Arc;
use std::time::Instant as Clock;

use regent_core::Host;
use regent_core::log_limiter::LogLimiter;
use regent_core::offloaded::Offloaded;
use regent_core::plugin::Reply;
use regent_core::timer::reached;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{error, info};

use super::appender::Wake;
use super::{Batch, LaneOrder};
use crate::config::Trigger;
use crate::counters::{Count, SinkStats};
use buffer::Loss;
pub(crate) use buffer::{DiskBuffer, MemoryBuffer, UploadBuffer};
use limiter::Limiter;
use round::Round;
pub(crate) use settings::Settings;

/// What the lane is told.
pub(crate) enum ServiceOrder {
    /// Take events.
    Events(Batch),
    /// Upload now, and say how it went.
    Upload(Reply),
    /// Go by these settings from now on.
    Configure(Settings),
    /// Upload what is left before the moment, and end.
    Stop(Instant),
}

impl LaneOrder for ServiceOrder {
    fn events(batch: Batch) -> Self {
        Self::Events(batch)
    }

    fn stop(deadline: Instant) -> Self {
        Self::Stop(deadline)
    }
}

/// The lane's state.
pub(crate) struct ServiceLane {
    host: Host,
    settings: Settings,
    buffer: Offloaded<UploadBuffer>,
    /// Tells when more waits on disk.
    wake: Wake,
    limiter: Option<Limiter>,
    round: Option<Round>,
    /// Who waits for the next round.
    callers: Vec<Reply>,
    /// When the next round is due, if the clock decides.
    due: Option<Instant>,
    /// Rounds in a row that failed.
    failures: u32,
    stats: Arc<SinkStats>,
    notices: Notices,
}

/// Warnings that may become due with every event.
#[derive(Default)]
struct Notices {
    limited: LogLimiter,
    chunks: LogLimiter,
    events: LogLimiter,
}

impl ServiceLane {
    pub(crate) fn new(host: Host, settings: Settings, buffer: UploadBuffer, wake: Wake, stats: Arc<SinkStats>) -> Self {
        Self {
            buffer: Offloaded::new(buffer),
            wake,
            limiter: settings.limiter(),
            due: (settings.trigger != Trigger::Manual).then(Instant::now),
            round: None,
            callers: Vec::new(),
            failures: 0,
            notices: Notices::default(),
            host,
            settings,
            stats,
        }
    }

    /// Works until told to stop.
    pub(crate) async fn run(mut self, mut orders: mpsc::Receiver<ServiceOrder>) {
        loop {
            let idle = self.round.is_none();
            tokio::select! {
                order = orders.recv() => match order {
                    Some(ServiceOrder::Events(batch)) => self.take(batch).await,
                    Some(ServiceOrder::Upload(reply)) => self.called(reply).await,
                    Some(ServiceOrder::Configure(settings)) => self.reconfigure(settings).await,
                    Some(ServiceOrder::Stop(deadline)) => return self.flush(deadline).await,
                    None => return,
                },
                result = Round::upload_done(&mut self.round) => self.settle(result).await,
                () = reached(self.due), if idle => self.begin(true).await,
                () = self.wake.up() => self.begin_if_full().await,
            }
        }
    }

    async fn take(&mut self, batch: Batch) {
        let now = Clock::now();
        let limiter = self.limiter.as_mut();
        // Within one moment the limit lets the first events pass and then no more.
        let allowed = limiter.map_or(batch.len(), |limiter| batch.iter().filter(|_| limiter.allows(now)).count());
        self.note_limited(batch.len() - allowed);
        let loss = self.work(move |buffer| buffer.push(&batch[..allowed])).await;
        self.note(loss);
        self.begin_if_full().await;
    }

    async fn begin_if_full(&mut self) {
        let may = self.settings.trigger == Trigger::Immediate && self.round.is_none() && self.failures == 0;
        if may && self.buffer().is_full() {
            self.begin(false).await;
        }
    }

    async fn called(&mut self, reply: Reply) {
        self.callers.push(reply);
        if self.round.is_none() {
            self.begin(true).await;
        }
    }

    async fn reconfigure(&mut self, settings: Settings) {
        info!(plugin = "decision_logs", "Decision log service configuration changed.");
        let limits = settings.limits.clone();
        let loss = self.work(|buffer| buffer.reconfigure(limits)).await;
        self.note(loss);
        if settings.rate != self.settings.rate {
            self.limiter = settings.limiter();
        }
        self.settings = settings;
        self.due = self.settings.next_round(self.failures, None);
    }

    fn buffer(&self) -> &UploadBuffer {
        self.buffer.idle().expect("all work with it is waited for")
    }

    /// Events that have not been delivered.
    fn left(&self) -> u64 {
        self.buffer().left(self.round.as_ref().map_or(0, |round| round.chunk.events()))
    }

    /// Runs what takes time, such as compression, off the threads that answer requests.
    async fn work<T: Send + 'static>(&mut self, work: impl FnOnce(&mut UploadBuffer) -> T + Send + 'static) -> T {
        let result = self.buffer.work(|buffer| {
            let result = work(buffer);
            if let UploadBuffer::Disk(buffer) = buffer {
                buffer.show();
            }
            result
        });
        let result = result.await;
        if !self.buffer().is_on_disk() {
            self.stats.waiting(self.left());
        }
        result
    }

    fn note_limited(&mut self, events: usize) {
        self.stats.add(Count::RateLimit, events as u64);
        if let Some(events) = self.notices.limited.due(events as u64) {
            error!(
                plugin = "decision_logs",
                events,
                "Decision log dropped as rate limit exceeded. Reduce reporting interval or increase rate limit."
            );
        }
    }

    fn note(&mut self, loss: Loss) {
        for (notice, amount, what) in
            [(&mut self.notices.chunks, loss.chunks, "chunks"), (&mut self.notices.events, loss.events, "events")]
        {
            if let Some(n) = notice.due(amount) {
                error!(
                    plugin = "decision_logs",
                    "Dropped {n} {what} from buffer. Reduce reporting interval or increase buffer size."
                );
            }
        }
    }
}
