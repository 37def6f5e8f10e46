//! The fetcher `http`: data from a web server, asked as an entry's `config` says.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use http::{Method, StatusCode};
use regent_core::data_fetcher::{DataFetcher, FetchLimits};
use regent_core::{Error, ErrorKind};
use regent_services::tls::TlsFiles;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Body, Client};
use serde::Deserialize;
use tokio::sync::OnceCell;
use url::{Host as UrlHost, Url};

use crate::error::{refused, unavailable};

/// Gets data over HTTP.
pub(crate) struct HttpFetcher {
    settings: Settings,
    clients: OnceCell<Clients>,
}

/// `data_updates.fetchers.http`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Certificates.
    tls: TlsFiles,
    /// Most redirects that are followed.
    max_redirects: usize,
    /// Whether a redirect may lead from one server to another one at an address that is not public.
    redirects_to_private: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tls: TlsFiles::default(), max_redirects: 10, redirects_to_private: false }
    }
}

/// What an entry says; OPAL's `HttpFetcherConfig`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Config {
    headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    method: Verb,
    data: Option<serde_json::Value>,
    #[serde(default = "yes")]
    is_json: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verb {
    #[default]
    Get,
    Post,
    Put,
    Patch,
    Head,
    Delete,
}

impl Verb {
    fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Patch => Method::PATCH,
            Self::Head => Method::HEAD,
            Self::Delete => Method::DELETE,
        }
    }
}

/// One for what an entry names, one for where others redirect to.
struct Clients {
    named: Client,
    redirected: Client,
}

/// A request, as far as redirects leave it as it was.
struct Ask {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
}

impl DataFetcher for HttpFetcher {
    const NAME: &'static str = "http";
    const ALIASES: &'static [&'static str] = &["HttpFetchProvider"];
    type Settings = Settings;
    type Config = Config;

    fn build(settings: Settings) -> Result<Self, Error> {
        Ok(Self { settings, clients: OnceCell::new() })
    }

    async fn fetch(&self, url: &str, config: Config, limits: FetchLimits) -> Result<Bytes, Error> {
        let ask = Ask::new(url, &config)?;
        let fetched = tokio::time::timeout(limits.timeout, self.exchange(ask, limits.max_bytes));
        let slow = |_| unavailable(format!("no whole answer within {:?}", limits.timeout));
        let body = fetched.await.map_err(slow)??;
        if config.is_json {
            return Ok(body);
        }
        let text = serde_json::to_vec(&String::from_utf8_lossy(&body));
        text.map(Bytes::from).map_err(|error| refused("the text cannot be written as JSON").caused_by(error))
    }
}

impl Ask {
    fn new(url: &str, config: &Config) -> Result<Self, Error> {
        let url = Url::parse(url).map_err(|error| refused("the url is broken").caused_by(error))?;
        let mut headers = HeaderMap::new();
        for (name, value) in config.headers.iter().flatten() {
            let parsed = (HeaderName::try_from(name), HeaderValue::try_from(value));
            let (Ok(name), Ok(mut value)) = parsed else {
                return Err(refused(format!("the header {name:?} cannot be sent")));
            };
            value.set_sensitive(true);
            headers.append(name, value);
        }
        let body = match &config.data {
            None | Some(serde_json::Value::Null) => None,
            Some(serde_json::Value::String(text)) => Some(Bytes::from(text.clone())),
            Some(document) => {
                headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
                Some(Bytes::from(document.to_string()))
            }
        };
        Ok(Self { method: config.method.method(), url, headers, body })
    }

    /// The request that a redirect asks for. What is meant for one server is not told to another one.
    fn redirected(mut self, status: StatusCode, location: &HeaderValue) -> Result<Self, Error> {
        let next = location.to_str().ok().and_then(|location| self.url.join(location).ok());
        let next = next.ok_or_else(|| refused("redirected to nowhere"))?;
        if next.origin() != self.url.origin() {
            self.headers.clear();
        }
        let as_get = status == StatusCode::SEE_OTHER
            || (matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND) && self.method == Method::POST);
        if as_get {
            self.method = Method::GET;
            self.body = None;
            self.headers.remove(CONTENT_TYPE);
            self.headers.remove(CONTENT_LENGTH);
        }
        Ok(Self { url: next, ..self })
    }
}

impl HttpFetcher {
    /// For the server of updates itself and for whom it or the configuration names: they may be anywhere.
    pub(crate) fn of_the_server(tls: TlsFiles) -> Self {
        let settings = Settings { tls, redirects_to_private: true, ..Settings::default() };
        Self { settings, clients: OnceCell::new() }
    }

    async fn exchange(&self, mut ask: Ask, max_bytes: usize) -> Result<Bytes, Error> {
        let clients = self.clients.get_or_try_init(|| self.connect()).await?;
        let first = ask.url.origin();
        for _ in 0..=self.settings.max_redirects {
            let is_guarded = ask.url.origin() != first && !self.settings.redirects_to_private;
            if is_guarded && is_private_literal(&ask.url) {
                return Err(refused(PRIVATE));
            }
            let client = if is_guarded { &clients.redirected } else { &clients.named };
            let request = client.request(ask.method.clone(), ask.url.clone()).headers(ask.headers.clone());
            let request = ask.body.clone().map_or(request.try_clone(), |body| Some(request.body(Body::from(body))));
            let request = request.ok_or_else(|| refused("the request cannot be sent"))?;
            let response = request.send().await.map_err(|error| unsent(&error))?;
            let status = response.status();
            match response.headers().get(LOCATION) {
                Some(location) if status.is_redirection() => ask = ask.redirected(status, location)?,
                _ if status.as_u16() >= 400 => return Err(failed(status)),
                _ => return read(response, max_bytes).await,
            }
        }
        Err(refused(format!("more than {} redirects", self.settings.max_redirects)))
    }

    async fn connect(&self) -> Result<Clients, Error> {
        let settings = self.settings.clone();
        let made = tokio::task::spawn_blocking(move || {
            let tls = settings
                .tls
                .client_config()
                .map_err(|error| refused("data_updates.fetchers.http.tls").caused_by(error))?;
            let client = || Client::builder().tls_backend_preconfigured(tls.clone()).redirect(Policy::none());
            let unmade = |error| refused("no HTTP client can be made").caused_by(error);
            let named = client().build().map_err(unmade)?;
            // Through a proxy nobody would look at the address.
            let redirected = client().no_proxy().dns_resolver(Arc::new(Public)).build().map_err(unmade)?;
            Ok(Clients { named, redirected })
        });
        made.await.unwrap_or_else(|panic| Err(refused("no HTTP client can be made").caused_by(panic)))
    }
}

async fn read(mut response: reqwest::Response, max_bytes: usize) -> Result<Bytes, Error> {
    let mut body = BytesMut::new();
    while let Some(part) = response.chunk().await.map_err(|error| unsent(&error))? {
        if body.len() + part.len() > max_bytes {
            return Err(refused(format!("the data has more than {max_bytes} bytes (`data_updates.fetch.max_bytes`)")));
        }
        body.extend_from_slice(&part);
    }
    Ok(body.freeze())
}

const PRIVATE: &str =
    "redirected to an address that is not public; `data_updates.fetchers.http.redirects_to_private` allows that";

/// Finds no addresses but public ones.
struct Public;

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| !is_private(address.ip())).collect();
            if public.is_empty() {
                return Err(PRIVATE.into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

fn is_private_literal(url: &Url) -> bool {
    match url.host() {
        Some(UrlHost::Ipv4(address)) => is_private(address.into()),
        Some(UrlHost::Ipv6(address)) => is_private(address.into()),
        _ => false,
    }
}

/// Whether an address belongs to this machine, to a network of its own, or to what a cloud tells its machines at.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || is_shared || first == 0
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// The server refuses. What it says is not repeated: it may hold anything.
fn failed(status: StatusCode) -> Error {
    let reason = status.canonical_reason().unwrap_or_default();
    let text = format!("the source answers {} {reason}", status.as_u16());
    let may_pass = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    Error::new(if may_pass { ErrorKind::Unavailable } else { ErrorKind::Refused }, text)
}

/// Addresses may have passwords in them, so the error of the client is told without.
fn unsent(error: &reqwest::Error) -> Error {
    let causes = std::error::Error::source(error).map(regent_core::error::chain).unwrap_or_default();
    let kind = if causes.contains(PRIVATE) { ErrorKind::Refused } else { ErrorKind::Unavailable };
    Error::new(kind, format!("the source cannot be asked: {causes}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_machines_and_networks_of_their_own_are_not_public() {
        let private =
            ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"];
        for address in private.into_iter().chain(["::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"]) {
            assert!(is_private(address.parse().expect(address)), "{address}");
        }
        for address in ["1.1.1.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(!is_private(address.parse().expect(address)), "{address}");
        }
    }
}
