//! Carrying connections until told to stop.

use std::fmt::Display;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulConnection;
use regent_core::engine::Cancel;
use regent_core::telemetry::Telemetry;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;

use super::Listeners;
use super::admission::{Admission, Admissions, Admitted};
use super::bind::Bound;
use super::protocol::Protocols;
use super::socket::{Socket, WatchedSocket};
use super::tls::Tls;
use super::write_timeout::WriteTimeout;
use crate::activity::Activity;
use crate::api::Api;
use crate::call::Client;
use crate::connection::Connections;
use crate::layers::{Authentication, Authorization, Stack};
use crate::limits::ClientTimeouts;
use crate::peer::{self, Peer};

/// How long a client may take to agree upon TLS.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait when no connection can be accepted, for example because files have run out.
const PAUSE: Duration = Duration::from_millis(50);

/// How often measurements are sorted in. Until then every request leaves a sample behind.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why serving did not end well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Requests were still running.
    #[error("requests were still running after the grace period of {0:?}")]
    GraceExceeded(Duration),
}

/// Serves until `shutdown` is done.
pub(super) async fn until(
    listeners: Listeners,
    api: Api,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) -> Result<(), ServeError> {
    let Listeners { main, diagnostic, h2c, tls, access } = listeners;
    if access.authentication == Authentication::Tls && access.authorization == Authorization::Basic {
        peer::warn_if_unseen(&api.context.host.store.snapshot());
    }
    let (stop, stopped) = watch::channel(());
    // Every connection holds a receiver, so that the sender sees when the last one is over.
    let (open, alive) = watch::channel(());
    let cancel = Cancel::default();
    let connections = Arc::new(Connections::new(Stack::new(api.clone(), access), cancel.clone()));
    let limits = &api.context.config.limits;
    let protocols = Protocols::new(limits.timeouts());
    let telemetry = &api.context.host.telemetry;
    let admissions = Admissions::new(limits.connections(), telemetry.clone());
    let mut tasks = JoinSet::new();
    let both = [(main, false), (diagnostic, true)];
    for (bound, diagnostic) in both.into_iter().flat_map(|(all, kind)| all.into_iter().map(move |bound| (bound, kind)))
    {
        let server = ConnectionServer {
            connections: connections.clone(),
            alive: alive.clone(),
            protocols: protocols.clone(),
            h2c,
            tls: tls.as_ref().map(|(tls, _)| tls.clone()),
            diagnostic,
            stopped: stopped.clone(),
        };
        tasks.spawn(accept(bound, server, admissions.of(diagnostic), stopped.clone()));
    }
    if let Some((tls, contents)) = tls {
        tasks.spawn(tls.keep_fresh(contents, stopped.clone()));
    }
    tasks.spawn(keep_up(telemetry.clone(), stopped));
    shutdown.await;
    drop((stop, alive));
    tasks.join_all().await;
    tokio::time::timeout(grace, open.closed()).await.map_err(|_| {
        cancel.cancel();
        ServeError::GraceExceeded(grace)
    })
}

async fn keep_up(telemetry: Telemetry, mut stopped: watch::Receiver<()>) {
    let until_stopped = async {
        loop {
            tokio::time::sleep(UPKEEP).await;
            telemetry.upkeep();
        }
    };
    tokio::select! {
        () = until_stopped => {}
        _ = stopped.changed() => {}
    }
}

/// Accepts until `stopped` closes; the address is then free.
async fn accept(bound: Bound, server: ConnectionServer, mut admission: Admission, mut stopped: watch::Receiver<()>) {
    let mut failing = false;
    loop {
        let accepted = tokio::select! {
            accepted = server.accept_one(&bound, &mut admission) => accepted,
            _ = stopped.changed() => return,
        };
        match accepted {
            Ok(()) => failing = false,
            // Said once: nobody can be let in for as long as it lasts, which may be long.
            Err(error) => {
                if !failing {
                    tracing::error!(err = %error, "Listener failed.");
                }
                failing = true;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// What it takes to carry the connections of one listener.
struct ConnectionServer {
    connections: Arc<Connections>,
    alive: watch::Receiver<()>,
    protocols: Protocols,
    h2c: bool,
    tls: Option<Arc<Tls>>,
    diagnostic: bool,
    stopped: watch::Receiver<()>,
}

impl ConnectionServer {
    /// Accepts one connection, and carries it if there is room for it.
    async fn accept_one(&self, bound: &Bound, admission: &mut Admission) -> io::Result<()> {
        match bound {
            Bound::Tcp { listener, tls } => {
                let (stream, client) = listener.accept().await?;
                let Some(admitted) = admission.admit() else { return Ok(()) };
                // Without it, small answers wait for more. A client that has gone already is noticed soon enough.
                let _ = stream.set_nodelay(true);
                let client = client.to_string().into();
                match &self.tls {
                    Some(with) if *tls => self.carry_secured(with.clone(), stream, client, admitted),
                    _ => self.carry(stream, client, admitted),
                }
            }
            Bound::Unix(listener, _) | Bound::Abstract(listener, _) => {
                let (stream, _) = listener.accept().await?;
                if let Some(admitted) = admission.admit() {
                    self.carry(stream, "@".into(), admitted);
                }
            }
        }
        Ok(())
    }

    fn carry(&self, stream: impl Socket, name: Box<str>, admitted: Admitted) {
        let line = WatchedSocket::new(stream);
        let hang_up_probe = Box::new(line.hang_up_probe());
        let seen = Client { name, peer: None, is_encrypted: false, diagnostic: self.diagnostic, line: hang_up_probe };
        let protocols = self.protocols.clone();
        let timeouts = protocols.timeouts();
        let activity = Activity::default();
        let io = TokioIo::new(WriteTimeout::new(line, timeouts.answer, activity.clone()));
        let connection = self.connections.connection(seen, activity.clone());
        let service = service_fn(move |request| connection.clone().answer(request));
        let (h2c, stopped, alive) = (self.h2c, self.stopped.clone(), self.alive.clone());
        tokio::spawn(async move {
            if h2c {
                let serving = protocols.either().serve_connection(io, service).into_owned();
                converse(serving, activity, stopped, timeouts).await;
            } else {
                converse(protocols.http1().serve_connection(io, service), activity, stopped, timeouts).await;
            }
            drop((admitted, alive));
        });
    }

    /// The client has not said anything yet: no request is running, so the end does not wait for it.
    fn carry_secured(&self, tls: Arc<Tls>, stream: impl Socket, name: Box<str>, admitted: Admitted) {
        let (connections, protocols, diagnostic) = (self.connections.clone(), self.protocols.clone(), self.diagnostic);
        let (mut stopped, alive) = (self.stopped.clone(), self.alive.clone());
        let line = WatchedSocket::new(stream);
        let hang_up_probe = Box::new(line.hang_up_probe());
        tokio::spawn(async move {
            let timeouts = protocols.timeouts();
            let activity = Activity::default();
            let agreed = tokio::select! {
                agreed = agree(&tls, WriteTimeout::new(line, timeouts.answer, activity.clone())) => agreed,
                _ = stopped.changed() => return,
            };
            let (stream, peer) = match agreed {
                Ok(agreed) => agreed,
                Err(error) => return tracing::debug!(client_addr = %name, %error, "no TLS with this client"),
            };
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let client = Client { name, peer, is_encrypted: true, diagnostic, line: hang_up_probe };
            let connection = connections.connection(client, activity.clone());
            let service = service_fn(move |request| connection.clone().answer(request));
            let io = TokioIo::new(stream);
            if is_http2 {
                let serving = protocols.http2().serve_connection(io, service).into_owned();
                converse(serving, activity, stopped, timeouts).await;
            } else {
                converse(protocols.http1().serve_connection(io, service), activity, stopped, timeouts).await;
            }
            drop((admitted, alive));
        });
    }
}

/// Agrees with a client upon TLS, and upon who it is if it has to show that.
async fn agree<T: AsyncRead + AsyncWrite + Unpin>(tls: &Tls, stream: T) -> io::Result<(TlsStream<T>, Option<Peer>)> {
    let agreed = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.acceptor().accept(stream)).await;
    let stream = agreed.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    if !tls.is_mutual() {
        return Ok((stream, None));
    }
    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let peer = Peer::new(certificates).ok_or_else(|| io::Error::other("the certificate has no readable name"))?;
    Ok((stream, Some(peer)))
}

/// Answers the requests of one connection, until it ends or is told to. A client that asks nothing, or does not take what
/// it asked for, has to leave.
async fn converse(
    serving: impl GracefulConnection<Error: Display>,
    activity: Activity,
    mut stopped: watch::Receiver<()>,
    timeouts: ClientTimeouts,
) {
    let mut serving = pin!(serving);
    let mut leaving = false;
    loop {
        let cause = cause(&mut stopped, &activity, timeouts, leaving);
        // Looked at only when it has something to say: at every request would cost a good part of a small one.
        let mut causes = FuturesUnordered::from_iter([cause]);
        let cause = tokio::select! {
            biased;
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended early");
                }
                return;
            }
            Some(cause) = causes.next() => cause,
        };
        if let Cause::Stillness = cause {
            tracing::debug!("connection without requests, or with answers that nobody takes");
            if leaving || !activity.was_asked() {
                return;
            }
        }
        leaving = true;
        serving.as_mut().graceful_shutdown();
    }
}

/// Why a client has to leave.
enum Cause {
    /// The agent ends.
    Stop,
    /// Nothing moves on the connection.
    Stillness,
}

/// Waits for a reason to have a client leave; if it is told to already, for a reason not to wait for that.
async fn cause(
    stopped: &mut watch::Receiver<()>,
    activity: &Activity,
    timeouts: ClientTimeouts,
    leaving: bool,
) -> Cause {
    tokio::select! {
        _ = stopped.changed(), if !leaving => Cause::Stop,
        () = activity.stands_still(timeouts) => Cause::Stillness,
    }
}
