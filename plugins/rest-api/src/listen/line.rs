//! Connections that can be asked, while nobody reads from them, whether their client has gone.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use regent_core::engine::Attended;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the system reports when the client has closed its side, which hyper takes for leaving, or all is over. Where
/// the former cannot be asked for, a client is seen to leave when its connection breaks.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const GONE: PollFlags = PollFlags::RDHUP.union(PollFlags::HUP).union(PollFlags::ERR);
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const GONE: PollFlags = PollFlags::HUP.union(PollFlags::ERR);

/// A socket that whoever carries the connection shares with the evaluations that it waits for. Clones share it; they
/// never wait for each other, since an evaluation runs while nobody reads or writes.
pub(super) struct Line<T>(Arc<Mutex<T>>);

impl<T> Clone for Line<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Line<T> {
    pub(super) fn new(socket: T) -> Self {
        Self(Arc::new(Mutex::new(socket)))
    }

    fn socket(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: AsFd + Send> Attended for Line<T> {
    fn is_abandoned(&self) -> bool {
        let socket = self.socket();
        let mut asked = [PollFd::new(&*socket, GONE)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut asked, Some(&at_once)).is_ok_and(|told| told > 0) && asked[0].revents().intersects(GONE)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Line<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.socket()).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Line<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.socket()).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.socket()).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket().is_write_vectored()
    }

    /// What is written to a socket waits nowhere.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.socket()).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::UnixStream;

    use super::*;

    #[tokio::test]
    async fn a_client_has_gone_when_it_has_closed_its_side() {
        let (mut client, server) = UnixStream::pair().expect("a pair of sockets");
        let line = Line::new(server);
        assert!(!line.is_abandoned());
        client.write_all(b"more").await.expect("room");
        assert!(!line.is_abandoned(), "there is something to read, but not the end");
        client.shutdown().await.expect("a socket");
        assert!(line.is_abandoned());
    }
}
