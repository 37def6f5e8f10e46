//! The hub as a whole.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use regent_core::Error;
use regent_core::telemetry::Telemetry;
use regent_data_updates::rpc::new_id;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::access::{AccessError, Authority};
use crate::api;
use crate::backbone::Backbone;
use crate::config::HubConfig;
use crate::directory::Directory;
use crate::exchange::ExchangeHandle;
use crate::listen::{self, Tls};
use crate::load::Load;
use crate::policy::Policy;
use crate::refusals::Refusals;
use crate::reports::Reports;
use crate::state::HubState;
use crate::stats::Stats;

/// Why a hub cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// A key is broken.
    #[error("`hub.auth` cannot be used")]
    Access(#[from] AccessError),
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}")]
    Listen {
        /// Which.
        addr: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The certificate cannot be used.
    #[error("`hub.tls`")]
    Tls(#[source] Error),
    /// Something else in the configuration.
    #[error("the hub cannot start")]
    Setup(#[source] Error),
}

/// A hub that listens.
pub struct Hub {
    state: Arc<HubState>,
    listener: TcpListener,
    tls: Option<Tls>,
}

impl Hub {
    /// Reads keys and certificates, and listens. The configuration has to be [valid](HubConfig::validate).
    ///
    /// # Errors
    /// When a key or certificate cannot be used, or the address is taken.
    pub async fn bind(config: HubConfig) -> Result<Self, HubError> {
        let authority = config.auth.as_ref().map(Authority::new).transpose()?;
        let tls = config.tls.as_ref().map(Tls::load).transpose().map_err(HubError::Tls)?;
        let telemetry = Telemetry::new(&[1.0]).map_err(HubError::Setup)?;
        let counters = Stats::new(&telemetry);
        let listen = |cause| HubError::Listen { addr: config.addr().to_owned(), cause };
        let listener = TcpListener::bind(config.addr()).await.map_err(listen)?;
        let (look, wanted) = mpsc::channel(1);
        let exchange = ExchangeHandle::start(config.log, counters.clone(), look.clone());
        let backbone = Backbone::start(&config, exchange.clone(), counters.clone()).await.map_err(HubError::Setup)?;
        let backbone = Arc::new(backbone);
        let policy = config.policy.as_ref().map(|policy| Policy::start(policy, backbone.clone(), look, wanted));
        let policy = policy.transpose().map_err(HubError::Setup)?;
        let state = HubState {
            authority,
            exchange,
            backbone,
            policy,
            directory: Directory::default(),
            load: Load::new(config.load_limit()),
            refusals: Refusals::default(),
            reports: Reports::default(),
            stats: counters,
            telemetry,
            started: Timestamp::now(),
            worker: new_id(),
            config,
        };
        Ok(Self { state: Arc::new(state), listener, tls })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` changes, and then sends all peers away, so that they look for another hub.
    pub async fn serve(self, stop: watch::Receiver<bool>) {
        let Self { state, listener, tls } = self;
        let exchange = state.exchange.clone();
        let router = api::router(state);
        listen::serve(listener, tls, router, stop, async move { exchange.close().await }).await;
    }
}
