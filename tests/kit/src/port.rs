//! Ports for processes.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port that nobody else gets, although a process can listen on it.
///
/// The socket is bound but does not listen. With `SO_REUSEADDR` on both (servers set it as a rule), the kernel lets the
/// process in by number, while it hands the port to nobody who asks for any. A port merely found free would be up for
/// grabs until the process has started, and then some other server might answer in its place.
#[derive(Debug)]
pub(crate) struct ReservedPort {
    pub(crate) address: SocketAddr,
    _socket: TcpSocket,
}

impl ReservedPort {
    pub(crate) fn new() -> Self {
        Self::try_new().expect("127.0.0.1 has a free port")
    }

    fn try_new() -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self { address: socket.local_addr()?, _socket: socket })
    }
}
