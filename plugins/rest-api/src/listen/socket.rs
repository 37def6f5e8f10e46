//! Connections that can be asked, while nobody reads from them, whether their client has gone.

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use regent_core::engine::Attended;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{Shutdown, shutdown};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream, tcp, unix};

/// What the system reports when the client has closed its side, which hyper takes for leaving, or all is over. Where
/// the former cannot be asked for, a client is seen to leave when its connection breaks.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const GONE: PollFlags = PollFlags::RDHUP.union(PollFlags::HUP).union(PollFlags::ERR);
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const GONE: PollFlags = PollFlags::HUP.union(PollFlags::ERR);

/// A socket of which reading and writing can be parted. What is written needs no more than a reference then, so that
/// others can hold on to the socket too, without a lock.
pub(super) trait Socket: AsFd + Sized + Send + Sync + 'static {
    /// Reads, at no more cost than the whole socket would.
    type Reader: AsyncRead + Unpin + Send + 'static;
    /// Keeps the socket.
    type Writer: AsRef<Self> + Send + Sync + 'static;

    fn part(self) -> (Self::Reader, Self::Writer);
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;
    fn write_all_of(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;
}

macro_rules! socket {
    ($socket:ty, $kind:ident) => {
        impl Socket for $socket {
            type Reader = $kind::OwnedReadHalf;
            type Writer = $kind::OwnedWriteHalf;

            fn part(self) -> (Self::Reader, Self::Writer) {
                self.into_split()
            }

            fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_write_ready(cx)
            }

            fn write(&self, bytes: &[u8]) -> io::Result<usize> {
                self.try_write(bytes)
            }

            fn write_all_of(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
                self.try_write_vectored(slices)
            }
        }
    };
}

socket!(TcpStream, tcp);
socket!(UnixStream, unix);

/// A socket that whoever carries the connection shares with the evaluations that it waits for.
pub(super) struct WatchedSocket<T: Socket> {
    reader: T::Reader,
    writer: Arc<T::Writer>,
}

impl<T: Socket> WatchedSocket<T> {
    pub(super) fn new(socket: T) -> Self {
        let (reader, writer) = socket.part();
        Self { reader, writer: Arc::new(writer) }
    }

    /// Who can be asked whether the client is still there.
    pub(super) fn hang_up_probe(&self) -> HangUpProbe<T> {
        HangUpProbe(self.writer.clone())
    }

    fn poll_write_with(
        &self,
        cx: &mut Context<'_>,
        write: impl Fn(&T) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let socket = (*self.writer).as_ref();
        loop {
            ready!(socket.poll_ready(cx))?;
            match write(socket) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }
}

impl<T: Socket> AsyncRead for WatchedSocket<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reader).poll_read(cx, buffer)
    }
}

impl<T: Socket> AsyncWrite for WatchedSocket<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |socket| socket.write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |socket| socket.write_all_of(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What is written to a socket waits nowhere.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match shutdown((*self.writer).as_ref(), Shutdown::Write) {
            // A client that has gone has no end that could be told.
            Ok(()) | Err(Errno::NOTCONN) => Ok(()),
            Err(error) => Err(error.into()),
        })
    }
}

/// The client's end of a line.
pub(super) struct HangUpProbe<T: Socket>(Arc<T::Writer>);

impl<T: Socket> Attended for HangUpProbe<T> {
    fn is_abandoned(&self) -> bool {
        let mut asked = [PollFd::new((*self.0).as_ref(), GONE)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut asked, Some(&at_once)).is_ok_and(|told| told > 0) && asked[0].revents().intersects(GONE)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn a_client_has_gone_when_it_has_closed_its_side() {
        let (mut client, server) = UnixStream::pair().expect("a pair of sockets");
        let line = WatchedSocket::new(server).hang_up_probe();
        assert!(!line.is_abandoned());
        client.write_all(b"more").await.expect("room");
        assert!(!line.is_abandoned(), "there is something to read, but not the end");
        client.shutdown().await.expect("a socket");
        assert!(line.is_abandoned());
    }
}
