//! Listeners: binding addresses, carrying connections, stopping.
//!
//! Binding and serving are two steps, so that the agent learns that a port is taken before it starts anything else.
//! Stopping means: accept nothing more, let running requests finish within the grace period, report if they do not.

mod address;
mod bind;
mod serve;

use std::time::Duration;

pub use bind::BindError;
pub use serve::ServeError;

use crate::api::Api;
use bind::Bound;

/// Where to listen, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Addresses of the API: `host:port`, `:port`, `http://host:port`, `unix://path` or `unix://@abstract`.
    pub addresses: Vec<String>,
    /// Addresses, in the same forms, that serve health and metrics only.
    pub diagnostic_addresses: Vec<String>,
    /// Permissions of socket files, `0o755` by default.
    pub unix_socket_permissions: u32,
    /// Whether clients may speak HTTP/2 without TLS.
    pub h2c: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            addresses: vec!["localhost:8181".to_owned()],
            diagnostic_addresses: Vec::new(),
            unix_socket_permissions: 0o755,
            h2c: false,
        }
    }
}

/// Bound addresses. Clients may connect; they wait until [`Listeners::serve`] is called.
pub struct Listeners {
    main: Vec<Bound>,
    diagnostic: Vec<Bound>,
    h2c: bool,
}

impl Listeners {
    /// Binds all addresses or none.
    ///
    /// # Errors
    /// Names the address, why it cannot be bound, and what to do.
    pub async fn bind(options: Options) -> Result<Self, BindError> {
        let permissions = options.unix_socket_permissions;
        Ok(Self {
            main: bind::all(&options.addresses, permissions).await?,
            diagnostic: bind::all(&options.diagnostic_addresses, permissions).await?,
            h2c: options.h2c,
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
