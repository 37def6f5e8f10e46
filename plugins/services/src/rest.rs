//! The client of one service.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use http::{HeaderValue, header};
use regent_core::Error;
use regent_core::service::{BoxFuture, CredentialProvider, Service, ServiceRequest, ServiceResponse};
use reqwest::redirect::{Attempt, Policy};
use url::{Host, Url};

use crate::config::{ServiceConfig, Trust};
use crate::error::ServiceError;
use crate::log;
use crate::tls::Material;
use crate::user_agent::user_agent;

/// How long a connection may take to come about, as Go's client has it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the next piece of a body may take. OPA waits for ever, and its bundle loader with it.
const STALL_TIMEOUT: Duration = Duration::from_mins(1);

/// Redirects that are followed, as Go's client has it.
const MOST_REDIRECTS: usize = 10;

/// A service that speaks plain HTTP.
pub(crate) struct RestService {
    config: ServiceConfig,
    credentials: Option<Arc<dyn CredentialProvider>>,
    /// The client made last, and from what. A lock, because any number of plugins send at once and none of them owns
    /// the service; it is held for a comparison, never while waiting.
    client: Mutex<Option<(Material, reqwest::Client)>>,
}

impl RestService {
    pub(crate) fn new(config: ServiceConfig, credentials: Option<Arc<dyn CredentialProvider>>) -> Self {
        Self { config, credentials, client: Mutex::default() }
    }

    async fn exchange(&self, mut request: ServiceRequest) -> Result<ServiceResponse, Error> {
        let address = self.config.address(&request.path);
        let url = Url::parse(&address).map_err(|error| ServiceError::Url(request.path.clone(), error))?;
        self.complete(&mut request);
        if let Some(credentials) = &self.credentials {
            credentials.prepare(&address, &mut request).await?;
        }
        let client = self.client().await?;
        log::request(&request, &address);
        let method = request.method.clone();
        let answer = self.execute(&client, request, url).await?;
        Ok(log::response(&method, &address, answer))
    }

    /// Adds the service's own headers, which win over those of the request.
    fn complete(&self, request: &mut ServiceRequest) {
        let agent = HeaderValue::try_from(user_agent()).expect("names and numbers are fit for a header");
        request.headers.entry(header::USER_AGENT).or_insert(agent);
        for (name, value) in &self.config.headers {
            request.headers.insert(name, value.clone());
        }
    }

    async fn execute(
        &self,
        client: &reqwest::Client,
        request: ServiceRequest,
        url: Url,
    ) -> Result<ServiceResponse, ServiceError> {
        let limit = match request.header_timeout {
            Some(limit) => Some(limit).filter(|limit| !limit.is_zero()),
            None => self.config.header_timeout,
        };
        let mut message = reqwest::Request::new(request.method, url);
        *message.headers_mut() = request.headers;
        if !request.body.is_empty() {
            *message.body_mut() = Some(request.body.into());
        }
        let answer = client.execute(message);
        let answer = match limit {
            Some(limit) => tokio::time::timeout(limit, answer).await.map_err(|_| ServiceError::HeaderTimeout(limit))?,
            None => answer.await,
        };
        let answer = answer.map_err(ServiceError::Transport)?;
        Ok(ServiceResponse {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: unless_stalled(answer.bytes_stream()).boxed(),
        })
    }

    /// The client for what the files say now; connections live on while they say the same.
    async fn client(&self) -> Result<reqwest::Client, Error> {
        let (trust, credentials) = (self.config.trust.clone(), self.credentials.clone());
        let read = tokio::task::spawn_blocking(move || Material::read(&trust, credentials.as_deref()));
        let material = read.await.map_err(ServiceError::Interrupted)??;
        if let Some(client) = self.known_client(&material) {
            return Ok(client);
        }
        // The system's authorities are files too. Two at once may both make a client, which does no harm.
        let (trust, url) = (self.config.trust.clone(), self.config.url.clone());
        let made = tokio::task::spawn_blocking(move || build(&material, &trust, &url).map(|client| (material, client)));
        let (material, client) = made.await.map_err(ServiceError::Interrupted)??;
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some((material, client.clone()));
        Ok(client)
    }

    fn known_client(&self, material: &Material) -> Option<reqwest::Client> {
        let known = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(made_from, _)| made_from == material).map(|(_, client)| client.clone())
    }
}

/// Makes a client for the service at the address. Blocks.
fn build(material: &Material, trust: &Trust, url: &str) -> Result<reqwest::Client, ServiceError> {
    let builder = reqwest::Client::builder();
    let builder = if is_on_this_machine(url) { builder.no_proxy() } else { builder };
    builder
        .tls_backend_preconfigured(material.client_config(trust)?)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(Policy::custom(follow))
        .build()
        .map_err(ServiceError::Client)
}

impl Service for RestService {
    fn send(&self, request: ServiceRequest) -> BoxFuture<'_, Result<ServiceResponse, Error>> {
        Box::pin(self.exchange(request))
    }

    fn address(&self, path: &str) -> String {
        self.config.address(path)
    }
}

/// Whether a service is on the agent's own machine; Go's client, and so OPA, asks such a one without a proxy.
fn is_on_this_machine(url: &str) -> bool {
    match Url::parse(url).as_ref().map(Url::host) {
        Ok(Some(Host::Domain(name))) => name == "localhost",
        Ok(Some(Host::Ipv4(address))) => address.is_loopback(),
        Ok(Some(Host::Ipv6(address))) => address.is_loopback(),
        Ok(None) | Err(_) => false,
    }
}

/// The pieces of a body, the last one an error if nothing more comes for too long or the connection breaks.
fn unless_stalled(
    body: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    stream::unfold(Some(Box::pin(body)), async |body| {
        let mut body = body?;
        match tokio::time::timeout(STALL_TIMEOUT, body.next()).await {
            Ok(Some(Ok(piece))) => Some((Ok(piece), Some(body))),
            Ok(Some(Err(error))) => Some((Err(ServiceError::Body(error).into()), None)),
            Ok(None) => None,
            Err(_) => Some((Err(ServiceError::Stalled(STALL_TIMEOUT).into()), None)),
        }
    })
}

/// Follows redirects as Go's client does. The client itself takes `Authorization` off on the way to another host.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > MOST_REDIRECTS {
        attempt.error(format!("stopped after {MOST_REDIRECTS} redirects"))
    } else {
        attempt.follow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_not_for_this_machine() {
        for url in ["http://localhost:8080", "https://127.0.0.2", "http://[::1]:1/x"] {
            assert!(is_on_this_machine(url), "{url}");
        }
        assert!(!is_on_this_machine("http://localhost.example") && !is_on_this_machine("http://10.0.0.1"));
    }
}
