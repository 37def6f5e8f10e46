//! The lane to a service: buffers events as chunks and uploads them from time to time.
//!
//! Uploads come in *rounds*. A round sends, one after the other, all chunks that were there when it began, and ends at
//! the first failure; the chunk that failed goes back to where it was. After each round status is told how it went.

mod flush;
mod round;
mod settings;

use std::future::pending;
use std::sync::Arc;
use std::time::Instant as Clock;

use regent_core::Host;
use regent_core::offloaded::Offloaded;
use regent_core::plugin::Reply;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tracing::{error, info};

use super::keeper::Wake;
use super::limiter::Limiter;
use super::waiting::Waiting;
use super::{Batch, LaneOrder};
use crate::buffer::Loss;
use crate::config::Trigger;
use crate::counters::{Count, Tally};
use crate::notice::Notice;
use round::Round;
pub(crate) use settings::Settings;

/// What the lane is told.
pub(crate) enum Order {
    /// Take events.
    Events(Batch),
    /// Upload now, and say how it went.
    Upload(Reply),
    /// Go by these settings from now on.
    Configure(Settings),
    /// Upload what is left before the moment, and end.
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

/// The lane's state.
pub(crate) struct Uploader {
    host: Host,
    settings: Settings,
    waiting: Offloaded<Waiting>,
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
    tally: Arc<Tally>,
    notices: Notices,
}

/// Warnings that may become due with every event.
#[derive(Default)]
struct Notices {
    limited: Notice,
    chunks: Notice,
    events: Notice,
}

impl Uploader {
    pub(crate) fn new(host: Host, settings: Settings, waiting: Waiting, wake: Wake, tally: Arc<Tally>) -> Self {
        Self {
            waiting: Offloaded::new(waiting),
            wake,
            limiter: settings.limiter(),
            due: (settings.trigger != Trigger::Manual).then(Instant::now),
            round: None,
            callers: Vec::new(),
            failures: 0,
            notices: Notices::default(),
            host,
            settings,
            tally,
        }
    }

    /// Works until told to stop.
    pub(crate) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        loop {
            let idle = self.round.is_none();
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Events(batch)) => self.take(batch).await,
                    Some(Order::Upload(reply)) => self.called(reply).await,
                    Some(Order::Configure(settings)) => self.reconfigure(settings).await,
                    Some(Order::Stop(deadline)) => return self.flush(deadline).await,
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
        let loss = self.work(move |waiting| waiting.push(&batch[..allowed])).await;
        self.note(loss);
        self.begin_if_full().await;
    }

    async fn begin_if_full(&mut self) {
        let may = self.settings.trigger == Trigger::Immediate && self.round.is_none() && self.failures == 0;
        if may && self.waiting().is_full() {
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
        info!(plugin = "decision_logs", "Decision log uploader configuration changed.");
        let limits = settings.limits.clone();
        let loss = self.work(|waiting| waiting.reconfigure(limits)).await;
        self.note(loss);
        if settings.rate != self.settings.rate {
            self.limiter = settings.limiter();
        }
        self.settings = settings;
        self.due = self.settings.next_round(self.failures, None);
    }

    fn waiting(&self) -> &Waiting {
        self.waiting.idle().expect("all work with it is waited for")
    }

    /// Events that have not been delivered.
    fn left(&self) -> u64 {
        self.waiting().left(self.round.as_ref().map_or(0, |round| round.chunk.events()))
    }

    /// Runs what takes time, such as compression, off the threads that answer requests.
    async fn work<T: Send + 'static>(&mut self, work: impl FnOnce(&mut Waiting) -> T + Send + 'static) -> T {
        let result = self.waiting.work(|waiting| {
            let result = work(waiting);
            if let Waiting::Disk(backlog) = waiting {
                backlog.show();
            }
            result
        });
        let result = result.await;
        if !self.waiting().is_on_disk() {
            self.tally.waiting(self.left());
        }
        result
    }

    fn note_limited(&mut self, events: usize) {
        self.tally.add(Count::RateLimit, events as u64);
        if let Some(events) = self.notices.limited.happened(events as u64) {
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
            if let Some(n) = notice.happened(amount) {
                error!(
                    plugin = "decision_logs",
                    "Dropped {n} {what} from buffer. Reduce reporting interval or increase buffer size."
                );
            }
        }
    }
}

/// Waits for the moment; forever, if there is none.
async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}
