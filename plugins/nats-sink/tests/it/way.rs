//! A way to a server that loses answers, or breaks, when it is told to.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The way; it ends with the test.
pub(crate) struct Way {
    /// Where it begins.
    pub(crate) url: String,
    muted: watch::Sender<bool>,
    breaks: watch::Sender<u64>,
}

impl Way {
    /// A way to the server at this address.
    pub(crate) async fn to(url: &str) -> Self {
        let server = url.trim_start_matches("nats://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let url = format!("nats://{}", listener.local_addr().expect("it listens"));
        let (muted, breaks) = (watch::Sender::new(false), watch::Sender::new(0));
        let (mute, cut) = (muted.subscribe(), breaks.subscribe());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("the server is there");
                let (mute, mut cut) = (mute.clone(), cut.clone());
                cut.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        () = carry(client, server, mute) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { url, muted, breaks }
    }

    /// Loses all that the server says from now on.
    pub(crate) fn mute(&self) {
        self.muted.send_replace(true);
    }

    /// Breaks all connections; new ones work.
    pub(crate) fn cut(&self) {
        self.breaks.send_modify(|breaks| *breaks += 1);
        self.muted.send_replace(false);
    }
}

async fn carry(client: TcpStream, server: TcpStream, mute: watch::Receiver<bool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = async {
        let mut buffer = [0; 4096];
        while let Ok(size @ 1..) = from_server.read(&mut buffer).await {
            if !*mute.borrow() && to_client.write_all(&buffer[..size]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        () = answers => {}
    }
}
