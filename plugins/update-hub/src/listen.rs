//! Connections: taken, with TLS or without, and served until the hub ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use regent_core::{Error, ErrorKind};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

use crate::config::ServerCertificate;

/// How long a client may take for TLS, and for the head of a request.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long what has begun may take once the hub ends.
const GRACE: Duration = Duration::from_secs(5);

/// How long nobody is let in when the system has no room for another connection.
const FULL: Duration = Duration::from_millis(100);

/// Most connections; more wait to be taken.
const MOST: usize = 20_000;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remote(pub(crate) SocketAddr);

/// The server's side of TLS.
pub(crate) struct Tls(TlsAcceptor);

impl Tls {
    /// Reads the files. Blocks.
    ///
    /// # Errors
    /// When a file cannot be read or used.
    pub(crate) fn load(files: &ServerCertificate) -> Result<Self, Error> {
        let broken = |key: &str, cause: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Config, format!("`{key}`")).caused_by(cause)
        };
        let chain = CertificateDer::pem_file_iter(&files.cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.map_err(|error| broken("cert", error.into()))?;
        let key =
            PrivateKeyDer::from_pem_file(&files.private_key).map_err(|error| broken("private_key", error.into()))?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(|error| broken("cert", error.into()))?;
        let config = builder.with_no_client_auth().with_single_cert(chain, key);
        let config = config.map_err(|error| broken("private_key", error.into()))?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

/// Serves until `stop` changes; then lets nobody in any more, does `farewell`, and ends when all connections have, or after a while.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    mut stop: watch::Receiver<bool>,
    farewell: impl Future<Output = ()>,
) {
    let mut connections = JoinSet::new();
    let room = Arc::new(Semaphore::new(MOST));
    let (end, ended) = watch::channel(());
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            // Nobody to say it is the same as being told.
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => continue,
        };
        let Some((stream, remote, permit)) = accepted else { continue };
        let service = TowerToHyperService::new(router.clone().layer(Extension(Remote(remote))));
        let (tls, ended) = (tls.as_ref().map(|tls| tls.0.clone()), ended.clone());
        connections.spawn(async move {
            let _permit = permit;
            match tls {
                None => connection(stream, service, ended).await,
                Some(tls) => {
                    // Who does not speak TLS is of no interest.
                    if let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(stream)).await {
                        connection(stream, service, ended).await;
                    }
                }
            }
        });
    }
    drop(listener);
    farewell.await;
    drop(end);
    let _late = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = room.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, remote)) => {
            // Notices are small, and answered one by one.
            let _delayed_otherwise = stream.set_nodelay(true);
            Some((stream, remote, permit))
        }
        Err(error) => {
            tracing::warn!(%error, "A connection cannot be taken.");
            sleep(FULL).await;
            None
        }
    }
}

async fn connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    service: TowerToHyperService<Router>,
    mut ended: watch::Receiver<()>,
) {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HANDSHAKE);
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        // What goes wrong on a connection concerns its client alone.
        _done = serving.as_mut() => return,
        _ = ended.changed() => serving.as_mut().graceful_shutdown(),
    }
    let _done = serving.await;
}
