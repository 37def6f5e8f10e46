//! Carrying connections until told to stop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use regent_core::engine::Cancel;
use regent_core::telemetry::Telemetry;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Listeners;
use super::bind::Bound;
use crate::api::Api;
use crate::call::Answers;
use crate::front::Front;
use crate::layers;

/// How long a client may take to send the head of a request, or to keep a connection without one.
const HEAD_TIMEOUT: Duration = Duration::from_mins(5);

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
    let graceful = Arc::new(GracefulShutdown::new());
    let (stop, stopped) = watch::channel(());
    let cancel = Cancel::default();
    let front = Arc::new(Front::new(layers::stack(&api), cancel.clone()));
    let mut tasks = JoinSet::new();
    let both = [(listeners.main, false), (listeners.diagnostic, true)];
    for (bound, diagnostic) in
        both.into_iter().flat_map(|(all, diagnostic)| all.into_iter().map(move |b| (b, diagnostic)))
    {
        let carrier =
            Carrier { front: front.clone(), graceful: graceful.clone(), builder: builder(listeners.h2c), diagnostic };
        tasks.spawn(accept(bound, carrier, stopped.clone()));
    }
    tasks.spawn(keep_up(api.parts.host.telemetry.clone(), stopped));
    shutdown.await;
    drop(stop);
    tasks.join_all().await;
    let graceful = Arc::into_inner(graceful).expect("only these tasks had clones, and they have ended");
    tokio::time::timeout(grace, graceful.shutdown()).await.map_err(|_| {
        cancel.cancel();
        ServeError::GraceExceeded(grace)
    })
}

fn builder(h2c: bool) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    if h2c { builder } else { builder.http1_only() }
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
async fn accept<S>(bound: Bound, carrier: Carrier<S>, mut stopped: watch::Receiver<()>)
where
    S: Answers + Clone + Send + Sync + 'static,
{
    loop {
        let accepted = tokio::select! {
            accepted = carrier.accept_one(&bound) => accepted,
            _ = stopped.changed() => return,
        };
        if let Err(error) = accepted {
            tracing::error!(err = %error, "Listener failed.");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// What it takes to carry the connections of one listener.
struct Carrier<S> {
    front: Arc<Front<S>>,
    graceful: Arc<GracefulShutdown>,
    builder: Builder<TokioExecutor>,
    diagnostic: bool,
}

impl<S: Answers + Clone + Send + Sync + 'static> Carrier<S> {
    async fn accept_one(&self, bound: &Bound) -> io::Result<()> {
        match bound {
            Bound::Tcp(listener) => {
                let (stream, client) = listener.accept().await?;
                // Without it, small answers wait for more.
                stream.set_nodelay(true)?;
                self.carry(stream, client.to_string().into());
            }
            Bound::Unix(listener, _) | Bound::Abstract(listener, _) => {
                let (stream, _) = listener.accept().await?;
                self.carry(stream, "@".into());
            }
        }
        Ok(())
    }

    fn carry(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, client: Arc<str>) {
        let service = self.front.connection(client, self.diagnostic);
        let connection = self.builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let watched = self.graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "connection ended early");
            }
        });
    }
}
