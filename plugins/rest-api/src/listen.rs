//! Listeners: binding addresses, carrying connections, stopping.
//!
//! Binding and serving are two steps, so that the agent learns that a port is taken before it starts anything else.
//! Stopping means: accept nothing more, let running requests finish within the grace period, report if they do not.
//!
//! Connections are limited in number, below what the system's limit of open files allows, so that the agent can go on
//! talking to its services; those beyond are closed at once. What one connection may hold, and for how long it may do
//! nothing, is limited, too. OPA leaves all that to whatever stands in front of it.

mod address;
mod admission;
mod bind;
mod protocol;
mod serve;
mod socket;
mod tls;
mod write_timeout;

use std::sync::Arc;
use std::time::Duration;

pub use bind::BindError;
pub use serve::ServeError;
pub use tls::{TlsError, TlsOptions, TlsVersion};

use crate::api::Api;
use crate::layers::{AccessControl, Authentication, Authorization};
use bind::Bound;
use tls::{Contents, Tls};

/// Where to listen, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Addresses of the API: `host:port`, `:port`, `http://host:port`, `https://host:port`, `unix://path` or
    /// `unix://@abstract`. Those without a scheme are for HTTPS if there is `tls`.
    pub addresses: Vec<String>,
    /// Addresses, in the same forms, that serve health and metrics only.
    pub diagnostic_addresses: Vec<String>,
    /// Permissions of socket files, `0o755` by default.
    pub unix_socket_permissions: u32,
    /// Whether clients may speak HTTP/2 without TLS.
    pub h2c: bool,
    /// Certificate and key, if there are any.
    pub tls: Option<TlsOptions>,
    /// How clients prove who they are.
    pub authentication: Authentication,
    /// Who decides what clients may do.
    pub authorization: Authorization,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            addresses: vec!["localhost:8181".to_owned()],
            diagnostic_addresses: Vec::new(),
            unix_socket_permissions: 0o755,
            h2c: false,
            tls: None,
            authentication: Authentication::default(),
            authorization: Authorization::default(),
        }
    }
}

/// Bound addresses. Clients may connect; they wait until [`Listeners::serve`] is called.
pub struct Listeners {
    main: Vec<Bound>,
    diagnostic: Vec<Bound>,
    h2c: bool,
    /// With what its files held when they were loaded.
    tls: Option<(Arc<Tls>, Contents)>,
    access: AccessControl,
}

impl Listeners {
    /// Binds all addresses or none.
    ///
    /// # Errors
    /// Names the address, why it cannot be bound, and what to do; or what is wrong with certificate or key.
    pub async fn bind(options: Options) -> Result<Self, BindError> {
        let Options { authentication, authorization, h2c, .. } = options;
        let mutual = authentication == Authentication::Tls;
        let tls = options.tls.map(|tls| Tls::load(tls, mutual)).transpose()?;
        if mutual && tls.is_none() {
            tracing::error!("TLS authentication enabled without a certificate. Authentication will be ineffective.");
        }
        if authentication == Authentication::Token && authorization == Authorization::Off {
            tracing::error!("Token authentication enabled without authorization. Authentication will be ineffective.");
        }
        let permissions = options.unix_socket_permissions;
        Ok(Self {
            main: bind::all(&options.addresses, permissions, tls.is_some()).await?,
            diagnostic: bind::all(&options.diagnostic_addresses, permissions, tls.is_some()).await?,
            h2c,
            tls: tls.map(|(tls, contents)| (Arc::new(tls), contents)),
            access: AccessControl { authentication, authorization },
        })
    }

    /// The addresses of the API as they were bound: `127.0.0.1:40123` for port 0.
    pub fn local_addresses(&self) -> Vec<String> {
        self.main.iter().map(Bound::to_string).collect()
    }

    /// The diagnostic addresses as they were bound.
    pub fn diagnostic_addresses(&self) -> Vec<String> {
        self.diagnostic.iter().map(Bound::to_string).collect()
    }

    /// Serves until `shutdown` is done, then finishes running requests for at most `grace`.
    ///
    /// # Errors
    /// When requests were still running at the end of the grace period; their evaluations are then cancelled.
    pub async fn serve(self, api: Api, shutdown: impl Future<Output = ()>, grace: Duration) -> Result<(), ServeError> {
        serve::until(self, api, shutdown, grace).await
    }
}
