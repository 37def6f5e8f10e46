//! Clients that do not take their answers.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::activity::{Activity, Owed};
use crate::limits::ClientTimeouts;

/// What is no larger is copied together before it is sent, which takes the system less time than two pieces do.
const SMALL: usize = 512;

/// A stream whose writing ends with an error when its client has kept it waiting for too long.
///
/// Only waiting costs time, and what the client takes earns it back. So a slow client may take all the time that an
/// answer needs, but one that takes nothing, or a few bytes now and then, runs out.
pub(super) struct WriteTimeout<T> {
    inner: T,
    most: Duration,
    left: Duration,
    waiting: Option<Waiting>,
    activity: Activity,
}

struct Waiting {
    since: Instant,
    _owed: Owed,
    end: Pin<Box<Sleep>>,
}

impl<T> WriteTimeout<T> {
    /// A stream whose client may keep it waiting for that long; meanwhile `activity` says that it does.
    pub(super) fn new(inner: T, most: Duration, activity: Activity) -> Self {
        Self { inner, most, left: most, waiting: None, activity }
    }

    /// Takes note of what writing came to. Without a word from the client it goes on until the time has run out.
    fn after<R>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if written.is_ready() {
            if let Some(waiting) = self.waiting.take() {
                self.left = self.left.saturating_sub(waiting.since.elapsed());
            }
            return written;
        }
        let (left, activity) = (self.left, &self.activity);
        let waiting = self.waiting.get_or_insert_with(|| {
            let since = Instant::now();
            Waiting { since, _owed: activity.owe(), end: Box::pin(sleep_until(since + left)) }
        });
        ready!(waiting.end.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not take its answer")))
    }

    fn earn(&mut self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = written
            && self.left < self.most
        {
            self.left = self.most.min(self.left + ClientTimeouts::earned(*bytes));
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for WriteTimeout<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        let written = self.after(cx, written);
        self.earn(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut small = [0; SMALL];
        let written = match joined(slices, &mut small) {
            Some(bytes) => Pin::new(&mut self.inner).poll_write(cx, bytes),
            None => Pin::new(&mut self.inner).poll_write_vectored(cx, slices),
        };
        let written = self.after(cx, written);
        self.earn(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.after(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.after(cx, shut)
    }
}

/// The slices one behind the other in `small`, if there is room for all.
fn joined<'a>(slices: &[IoSlice<'_>], small: &'a mut [u8; SMALL]) -> Option<&'a [u8]> {
    let mut length = 0;
    for slice in slices {
        small.get_mut(length..length + slice.len())?.copy_from_slice(slice);
        length += slice.len();
    }
    Some(&small[..length])
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const MOST: Duration = Duration::from_mins(1);

    #[test]
    fn only_what_is_small_is_joined() {
        let (head, body) = ([b'h'; SMALL - 2], [b'b'; 3]);
        let joined = |body| joined(&[IoSlice::new(&head), IoSlice::new(body)], &mut [0; SMALL]).map(<[u8]>::to_vec);
        assert_eq!(joined(&body[..2]), Some([&head[..], b"bb"].concat()));
        assert_eq!(joined(&body), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (_client, server) = duplex(16);
        let mut server = WriteTimeout::new(server, MOST, Activity::default());
        let before = Instant::now();
        let error = server.write_all(&[0; 17]).await.expect_err("nobody reads");
        assert_eq!((error.kind(), before.elapsed().as_secs()), (io::ErrorKind::TimedOut, 60));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_a_byte_now_and_then_is_given_up_too() {
        let (mut client, server) = duplex(16);
        let mut server = WriteTimeout::new(server, MOST, Activity::default());
        let trickle = tokio::spawn(async move {
            while client.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
        });
        let before = Instant::now();
        server.write_all(&[0; 4096]).await.expect_err("it would take eleven hours");
        assert!(before.elapsed() <= MOST + Duration::from_secs(1), "{:?}", before.elapsed());
        drop(server);
        trickle.await.expect("it sees the end");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_merely_slow_gets_everything() {
        let (mut client, server) = duplex(16_384);
        let mut server = WriteTimeout::new(server, MOST, Activity::default());
        let reader = tokio::spawn(async move {
            let (mut all, mut part) = (0, vec![0; 16_384]);
            while let Ok(length @ 1..) = client.read(&mut part).await {
                all += length;
                tokio::time::sleep(Duration::from_secs(8)).await;
            }
            all
        });
        let before = Instant::now();
        server.write_all(&vec![0; 1 << 20]).await.expect("two KiB a second are enough");
        assert!(before.elapsed() > 5 * MOST, "{:?}", before.elapsed());
        drop(server);
        assert_eq!(reader.await.expect("the end"), 1 << 20);
    }
}
