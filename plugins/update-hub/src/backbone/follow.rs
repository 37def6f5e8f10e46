//! Follows a shared log through whatever happens to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use regent_core::log_limiter::LogLimiter;
use regent_core::{Error, ErrorKind, backoff};
use regent_data_updates::rpc::Position;

use super::{Extent, Reader, SharedLog};
use crate::exchange::ExchangeHandle;
use crate::publication::Arrival;
use crate::stats::Stats;

/// Longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Whether a backbone is there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health(Arc<AtomicBool>);

impl Health {
    pub(crate) fn is_up(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, is_up: bool) {
        self.0.store(is_up, Ordering::Relaxed);
    }
}

/// Brings what is in the log to the exchange, without end.
pub(super) async fn follow(
    log: Arc<impl SharedLog>,
    keep: usize,
    exchange: ExchangeHandle,
    health: Health,
    stats: Stats,
) {
    let mut follower = Follower { keep: u64::try_from(keep).unwrap_or(u64::MAX), exchange, last: None };
    let (mut failures, mut limiter) = (0, LogLimiter::default());
    loop {
        let mut was_up = false;
        let lost = follower
            .session(log.as_ref(), || {
                if !std::mem::replace(&mut was_up, true) {
                    health.set(true);
                    stats.backbone(true);
                    tracing::info!("Connected to the backbone.");
                }
            })
            .await;
        health.set(false);
        stats.backbone(false);
        failures = if was_up { 1 } else { failures + 1 };
        if let Err(error) = lost
            && let Some(times) = limiter.due(1)
        {
            tracing::warn!(
                error = error.chain(),
                times,
                "The backbone is away; nothing can be published until it is back."
            );
        }
        tokio::time::sleep(backoff::after(failures, LONGEST_PAUSE)).await;
    }
}

/// The last record that came.
struct Last {
    epoch: String,
    seq: u64,
    /// None if nothing has come since the log began.
    text: Option<String>,
}

struct Follower {
    keep: u64,
    exchange: ExchangeHandle,
    last: Option<Last>,
}

/// How a log is read on after a connection was lost.
enum Resumption {
    /// From where it was left.
    Same,
    /// It is another log, or something is missing.
    Other,
    /// Records that have been seen are gone, and others may have their numbers.
    Rewound,
}

impl Follower {
    /// One connection. Ends when it is lost.
    async fn session(&mut self, log: &impl SharedLog, mut is_up: impl FnMut()) -> Result<(), Error> {
        let mut reader = log.reader().await?;
        let mut extent = reader.extent().await?;
        match self.resumption(&mut reader, &extent).await? {
            Resumption::Same => {}
            Resumption::Other => self.begin(&extent).await,
            Resumption::Rewound => {
                tracing::error!("The backbone has lost what was published last; all peers load their data anew.");
                reader.renew(&extent.epoch).await?;
                extent = reader.extent().await?;
                self.begin(&extent).await;
            }
        }
        let mut complete = Some(extent.latest);
        loop {
            if complete.take_if(|latest| self.last.as_ref().is_some_and(|last| last.seq >= *latest)).is_some() {
                self.exchange.arrived(Arrival::Complete).await;
            }
            is_up();
            let Some(last) = &mut self.last else { return Err(Error::new(ErrorKind::Internal, "no beginning")) };
            let news = reader.after(last.seq).await?;
            if news.is_empty() {
                let extent = reader.extent().await?;
                if extent.epoch != last.epoch || extent.latest < last.seq {
                    return Err(Error::new(ErrorKind::Unavailable, "the log is another one now"));
                }
            }
            for stored in news {
                if stored.epoch != last.epoch {
                    if stored.seq <= extent.latest {
                        // It was there before the log was renewed.
                        last.seq = stored.seq;
                        continue;
                    }
                    return Err(Error::new(ErrorKind::Unavailable, "the log has been renewed"));
                }
                last.seq = stored.seq;
                last.text = Some(stored.text.clone());
                if !stored.text.is_empty() {
                    self.exchange.arrived(Arrival::Record { seq: stored.seq, text: stored.text }).await;
                }
            }
        }
    }

    async fn resumption(&self, reader: &mut impl Reader, extent: &Extent) -> Result<Resumption, Error> {
        let Some(last) = self.last.as_ref().filter(|last| last.epoch == extent.epoch) else {
            return Ok(Resumption::Other);
        };
        if last.seq > extent.latest {
            return Ok(Resumption::Rewound);
        }
        if last.seq + 1 < extent.first {
            return Ok(Resumption::Other);
        }
        let Some(text) = last.text.as_ref().filter(|_| last.seq >= extent.first) else { return Ok(Resumption::Same) };
        let again = reader.after(last.seq - 1).await?;
        let is_same = again.first().is_some_and(|stored| stored.seq == last.seq && stored.text == *text);
        Ok(if is_same { Resumption::Same } else { Resumption::Rewound })
    }

    /// Begins anew, with as much of what was there before as the hub keeps.
    async fn begin(&mut self, extent: &Extent) {
        let seq = (extent.first.saturating_sub(1)).max(extent.latest.saturating_sub(self.keep));
        let position = Position { epoch: extent.epoch.clone(), seq };
        self.last = Some(Last { epoch: position.epoch.clone(), seq, text: None });
        self.exchange.arrived(Arrival::Begins(position)).await;
    }
}
