//! Bodies that have to come along.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use regent_core::Error;
use tokio::time::{Instant, timeout_at};

use crate::error::ServiceError;

/// How long the next piece of a body may take. OPA waits for ever, and its bundle loader with it.
const STALL_TIMEOUT: Duration = Duration::from_mins(1);

/// Bytes of a body for which a second more is granted than for an empty one: who sends a byte now and then shall not be
/// waited for until the end of days.
const SLOWEST: u64 = 1024;

/// The pieces of a body, the last one an error if nothing more comes for too long, all of them take too long, or the
/// connection breaks.
pub(crate) fn unless_stalled(
    body: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    let pace = Pace { start: Instant::now(), bytes: 0 };
    stream::unfold(Some((Box::pin(body), pace)), async |state| {
        let (mut body, mut pace) = state?;
        match timeout_at(pace.deadline(), body.next()).await {
            Ok(Some(Ok(piece))) => {
                pace.bytes += piece.len() as u64;
                Some((Ok(piece), Some((body, pace))))
            }
            Ok(Some(Err(error))) => Some((Err(ServiceError::Body(error).into()), None)),
            Ok(None) => None,
            Err(_) => Some((Err(pace.complaint().into()), None)),
        }
    })
}

/// How a body is coming along.
struct Pace {
    start: Instant,
    bytes: u64,
}

impl Pace {
    /// When the next piece has to be here.
    fn deadline(&self) -> Instant {
        self.slowest().min(Instant::now() + STALL_TIMEOUT)
    }

    /// When a body has to be complete of which no more than this has come.
    fn slowest(&self) -> Instant {
        self.start + STALL_TIMEOUT + Duration::from_secs(self.bytes / SLOWEST)
    }

    fn complaint(&self) -> ServiceError {
        if self.bytes > 0 && self.slowest() <= Instant::now() {
            ServiceError::Slow { bytes: self.bytes, time: self.start.elapsed() }
        } else {
            ServiceError::Stalled(STALL_TIMEOUT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body of so many pieces of that size, each of which takes so long.
    fn body(count: usize, size: usize, each: Duration) -> impl Stream<Item = reqwest::Result<Bytes>> {
        stream::iter(0..count).then(move |_| async move {
            tokio::time::sleep(each).await;
            Ok(Bytes::from(vec![0; size]))
        })
    }

    async fn read(body: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static) -> Result<usize, String> {
        let mut pieces = Box::pin(unless_stalled(body));
        let mut size = 0;
        while let Some(piece) = pieces.next().await {
            size += piece.map_err(|error| error.chain())?.len();
        }
        Ok(size)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_take_its_time_but_not_any_time() {
        let slow = Duration::from_secs(50);
        assert_eq!(read(body(100, 60 * 1024, slow)).await, Ok(100 * 60 * 1024), "more than a KiB each second");
        assert_eq!(read(body(100, 1, slow)).await, Err("answer too slow: 1 bytes in 60s".to_owned()));
        assert_eq!(read(body(2, 1 << 30, Duration::from_secs(61))).await, Err("answer stalled for 60s".to_owned()));
        let then_nothing = body(1, 1 << 20, Duration::ZERO).chain(body(1, 1, Duration::from_secs(61)));
        assert_eq!(read(then_nothing).await, Err("answer stalled for 60s".to_owned()));
    }
}
