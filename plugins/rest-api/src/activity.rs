//! Whether anything moves on a connection.
//!
//! A client may be slow to ask, and slow to take what it asked for; hyper waits for it. Its own timer for the former costs
//! every request of HTTP/1 a good part of what a small decision does, and it has none for the latter. So what goes on is
//! counted here, and looked at now and then.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Version;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use tokio::time::{Instant, sleep};

use crate::limits::ClientTimeouts;

/// How much of an answer is handed over at a time on HTTP/2. What is handed over waits where it cannot be seen.
const PART: usize = 64 << 10;

/// What goes on on one connection. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Activity(Arc<Counts>);

#[derive(Default)]
struct Counts {
    /// Whether there was a request.
    asked: AtomicBool,
    /// Whether the one request of HTTP/1 is being answered, which nobody else writes meanwhile.
    by_turns: AtomicBool,
    /// Requests of HTTP/2 that are being answered.
    at_once: AtomicUsize,
    /// Answers that the client has not taken as a whole.
    owed: AtomicUsize,
    /// Counts everything that happens.
    moves: AtomicU64,
}

impl Activity {
    /// A request has come; the answer is being made until the guard is dropped.
    pub(crate) fn begin(&self, version: Version) -> InFlight<'_> {
        self.0.asked.store(true, Ordering::Relaxed);
        let at_once = version == Version::HTTP_2;
        if at_once {
            self.0.at_once.fetch_add(1, Ordering::Relaxed);
        } else {
            self.0.by_turns.store(true, Ordering::Relaxed);
        }
        InFlight { activity: self, at_once }
    }

    /// The client has to take something, until the guard is dropped.
    pub(crate) fn owe(&self) -> Owed {
        self.0.owed.fetch_add(1, Ordering::Relaxed);
        Owed(self.clone())
    }

    /// Whether there was a request.
    pub(crate) fn was_asked(&self) -> bool {
        self.0.asked.load(Ordering::Relaxed)
    }

    /// Waits until there was no request for as long as the head of one may take, or until the client has left an answer
    /// standing.
    pub(crate) async fn stands_still(&self, timeouts: ClientTimeouts) {
        let counts = &*self.0;
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            sleep(timeouts.head.min(timeouts.answer)).await;
            let moves = counts.moves.load(Ordering::Relaxed);
            if moves != seen || counts.is_busy() {
                (seen, since) = (moves, Instant::now());
                continue;
            }
            let owes = counts.owed.load(Ordering::Relaxed) > 0;
            if since.elapsed() >= if owes { timeouts.answer } else { timeouts.head } {
                return;
            }
        }
    }

    fn moved(&self) {
        self.0.moves.fetch_add(1, Ordering::Relaxed);
    }
}

impl Counts {
    fn is_busy(&self) -> bool {
        self.by_turns.load(Ordering::Relaxed) || self.at_once.load(Ordering::Relaxed) > 0
    }
}

/// A request that is being answered.
pub(crate) struct InFlight<'a> {
    activity: &'a Activity,
    at_once: bool,
}

impl InFlight<'_> {
    /// The answer is there; the client may take it. On HTTP/1, where nothing else is sent meanwhile, the stream itself
    /// sees when the client does not.
    pub(crate) fn hand_over(self, answer: Full<Bytes>) -> AnswerBody {
        let owed = self.at_once.then(|| self.activity.owe());
        AnswerBody { answer, rest: Bytes::new(), owed }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let counts = &self.activity.0;
        if self.at_once {
            counts.at_once.fetch_sub(1, Ordering::Relaxed);
            self.activity.moved();
        } else {
            counts.by_turns.store(false, Ordering::Relaxed);
            // Nothing else moves meanwhile, so none is lost; a locked addition would be one more of what requests cost.
            counts.moves.store(counts.moves.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }
}

/// Something that the client has not taken as a whole.
pub(crate) struct Owed(Activity);

impl Drop for Owed {
    fn drop(&mut self) {
        self.0.0.owed.fetch_sub(1, Ordering::Relaxed);
        self.0.moved();
    }
}

/// The body of an answer: as a whole on HTTP/1, part by part as the client takes it on HTTP/2.
pub(crate) struct AnswerBody {
    answer: Full<Bytes>,
    /// What was taken out of `answer` and not handed over yet.
    rest: Bytes,
    owed: Option<Owed>,
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(owed) = &self.owed else { return Pin::new(&mut self.answer).poll_frame(cx) };
        owed.0.moved();
        if self.rest.is_empty() {
            let whole = ready!(Pin::new(&mut self.answer).poll_frame(cx));
            let Some(Ok(whole)) = whole.map(|frame| frame.map(Frame::into_data)) else { return Poll::Ready(None) };
            self.rest = whole.unwrap_or_default();
        }
        let length = self.rest.len().min(PART);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.answer.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.rest.is_empty() { self.answer.size_hint() } else { SizeHint::with_exact(self.rest.len() as u64) }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn answers_arrive_whole() {
        let answer = Bytes::from((0..200_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>());
        for version in [Version::HTTP_11, Version::HTTP_2] {
            for answer in [Bytes::new(), answer.slice(..1), answer.clone()] {
                let activity = Activity::default();
                let handed = activity.begin(version).hand_over(Full::new(answer.clone()));
                assert_eq!(handed.size_hint().exact(), Some(answer.len() as u64));
                let Ok(collected) = handed.collect().await;
                assert_eq!(collected.to_bytes(), answer);
                assert_eq!(activity.0.owed.load(Ordering::Relaxed), 0);
            }
        }
    }
}
