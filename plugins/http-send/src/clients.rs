//! HTTP clients, one for each distinct way to connect.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;
use regent_core::service::ClientIdentity;
use regent_services::tls::{Authorities, ClientSetup, ServerName, TlsError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use url::{Host, Url};

/// Most clients that are kept, each with connections of its own.
const MOST: NonZeroUsize = NonZeroUsize::new(64).expect("is not zero");

/// How long a connection may take to come about, as Go's client has it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection that nobody uses is kept, as Go's client has it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// Most connections to one host that are kept though nobody uses them.
const MOST_IDLE: usize = 32;

/// How a request wants to connect.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Setup {
    pub(crate) authorities: Authorities,
    pub(crate) identity: Option<ClientIdentity>,
    /// The name that the server's certificate must be for, if not the one in the address.
    pub(crate) server_name: Option<String>,
    /// The socket that takes the place of the network.
    pub(crate) socket: Option<PathBuf>,
    /// Whether HTTP/2, which has no header `Host`, will not do.
    pub(crate) only_http1: bool,
}

/// Why there is no client.
pub(crate) enum ClientError {
    /// Certificates or keys cannot be used.
    Tls(TlsError),
    /// Something else.
    Other(String),
}

/// Clients by how they connect.
pub(crate) struct Clients(Mutex<LruCache<Key, reqwest::Client>>);

impl Default for Clients {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MOST)))
    }
}

/// How one client connects.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    setup: Arc<Setup>,
    /// Whether no proxy is asked.
    direct: bool,
    /// The host that is meant by the server's name.
    host: Option<String>,
    /// Whether the server is to prove a name that it cannot be called by, such as an address of the network.
    is_called_otherwise: bool,
}

/// An address and who asks there.
pub(crate) struct Route {
    pub(crate) client: reqwest::Client,
    /// The address that the client must be given.
    pub(crate) url: Url,
    /// Whether that is another one, so that the request must name its host itself.
    pub(crate) is_renamed: bool,
}

impl Clients {
    /// The client for the address. The name that a client is given is what it asks the server to prove; where that is to
    /// be another one than in the address, the client is given that name and looks up the address behind it elsewhere.
    /// Blocks.
    pub(crate) fn route(&self, setup: &Arc<Setup>, url: &Url) -> Result<Route, ClientError> {
        let renamed = renamed(setup, url);
        let otherwise = |name: &String| renamed.is_none() && Some(&**name) != url.host_str();
        let key = Key {
            is_called_otherwise: url.scheme() == "https" && setup.server_name.as_ref().is_some_and(otherwise),
            setup: setup.clone(),
            direct: renamed.is_some() || is_on_this_machine(url),
            host: renamed.as_ref().and(url.host_str()).map(str::to_owned),
        };
        let is_renamed = renamed.is_some();
        let url = renamed.unwrap_or_else(|| url.clone());
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(client) = known {
            return Ok(Route { client, url, is_renamed });
        }
        // Two at once may both make a client, which does no harm.
        let client = key.client()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(key, client.clone());
        Ok(Route { client, url, is_renamed })
    }
}

impl Key {
    fn client(&self) -> Result<reqwest::Client, ClientError> {
        let setup = &*self.setup;
        let server_name = setup.server_name.clone().filter(|_| self.is_called_otherwise);
        let server_name = server_name.and_then(|name| ServerName::try_from(name).ok());
        let (authorities, identity) = (&setup.authorities, setup.identity.as_ref());
        let mut tls = ClientSetup { authorities, identity, server_name }.config().map_err(ClientError::Tls)?;
        tls.enable_sni = !self.is_called_otherwise;
        if setup.only_http1 || self.host.is_some() {
            tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MOST_IDLE)
            .redirect(Policy::none());
        if self.direct {
            builder = builder.no_proxy();
        }
        if let Some(host) = &self.host {
            builder = builder.dns_resolver(Arc::new(Elsewhere(host.trim_matches(['[', ']']).to_owned())));
        }
        if let Some(socket) = &setup.socket {
            builder = builder.unix_socket(socket.as_path());
        }
        builder.build().map_err(|error| ClientError::Other(error.to_string()))
    }
}

/// The address under the name that the server is to prove, if that is another one.
fn renamed(setup: &Setup, url: &Url) -> Option<Url> {
    let name = setup.server_name.as_deref().filter(|_| url.scheme() == "https" && setup.socket.is_none())?;
    let is_name = ServerName::try_from(name).is_ok_and(|name| matches!(name, ServerName::DnsName(_)));
    if !is_name || url.host_str() == Some(name) {
        return None;
    }
    let mut renamed = url.clone();
    renamed.set_host(Some(name)).ok()?;
    Some(renamed)
}

/// Whether a server is on the agent's own machine; Go's client, and so OPA, asks such a one without a proxy.
fn is_on_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Looks up one host, whatever it is asked for.
struct Elsewhere(String);

impl Resolve for Elsewhere {
    fn resolve(&self, _: Name) -> Resolving {
        let host = self.0.clone();
        Box::pin(async move {
            if let Ok(address) = host.parse::<IpAddr>() {
                let one: Addrs = Box::new(std::iter::once(SocketAddr::new(address, 0)));
                return Ok(one);
            }
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            let all: Addrs = Box::new(found.into_iter());
            Ok(all)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(server_name: Option<&str>) -> Arc<Setup> {
        Arc::new(Setup {
            authorities: Authorities::Anyone,
            identity: None,
            server_name: server_name.map(str::to_owned),
            socket: None,
            only_http1: false,
        })
    }

    fn url(text: &str) -> Url {
        Url::parse(text).expect("an address")
    }

    #[test]
    fn a_server_is_called_by_the_name_that_it_is_to_prove() {
        let clients = Clients::default();
        let route = |name, address| {
            let route = clients.route(&setup(name), &url(address)).ok().expect("a client");
            (route.url.to_string(), route.is_renamed)
        };
        let plain = |address: &str| (address.to_owned(), false);
        assert_eq!(route(Some("acme.test"), "https://127.0.0.1:81/x"), ("https://acme.test:81/x".to_owned(), true));
        assert_eq!(route(Some("acme.test"), "http://127.0.0.1:81/x"), plain("http://127.0.0.1:81/x"));
        assert_eq!(route(Some("acme.test"), "https://acme.test/x"), plain("https://acme.test/x"));
        assert_eq!(route(Some("127.0.0.2"), "https://127.0.0.1/x"), plain("https://127.0.0.1/x"));
        assert_eq!(route(None, "https://127.0.0.1/x"), plain("https://127.0.0.1/x"));
    }

    #[test]
    fn clients_are_shared_by_equal_setups_up_to_a_bound() {
        let clients = Clients::default();
        let count = || clients.0.lock().expect("no one panics").len();
        for _ in 0..2 {
            assert!(clients.route(&setup(None), &url("http://127.0.0.1/a")).is_ok());
            assert!(clients.route(&setup(None), &url("http://localhost:1/b")).is_ok());
        }
        assert_eq!(count(), 1);
        assert!(clients.route(&setup(None), &url("http://acme.test/")).is_ok());
        assert_eq!(count(), 2, "others may be behind a proxy");
        for number in 0..MOST.get() + 3 {
            assert!(clients.route(&setup(Some(&format!("n{number}"))), &url("https://127.0.0.1/")).is_ok());
        }
        assert_eq!(count(), MOST.get());
    }
}
