//! The way to one service: a client of what the files say now, time limits, redirects.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, Method, StatusCode, header};
use regent_core::Error;
use regent_core::service::{CredentialProvider, ServiceResponse};
use reqwest::redirect::Policy;
use url::{Host, Url};

use crate::config::Trust;
use crate::error::ServiceError;
use crate::pieces::unless_stalled;
use crate::tls::Material;

/// How long a connection may take to come about, as Go's client has it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Redirects that are followed, as Go's client has it.
const MOST_REDIRECTS: usize = 10;

/// A request as it goes out.
pub(crate) struct Message {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// What whoever is asked may see.
    pub(crate) headers: HeaderMap,
    /// What other hosts, to which an answer sends the request on, may see.
    pub(crate) open_headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How long the headers of each answer may take; for ever if none.
    pub(crate) limit: Option<Duration>,
}

/// An answer, and whether it is of the one who was asked and not of one the request was sent on to.
pub(crate) struct Arrived {
    pub(crate) response: ServiceResponse,
    pub(crate) is_of_asked: bool,
}

/// The way to a service.
pub(crate) struct Wire {
    trust: Trust,
    /// Whether the service is on the agent's own machine, and so asked without a proxy.
    is_near: bool,
    credentials: Option<Arc<dyn CredentialProvider>>,
    /// The client made last, and from what. A lock, because any number of plugins send at once and none of them owns
    /// the service; it is held for a comparison, never while waiting.
    client: Mutex<Option<(Material, reqwest::Client)>>,
}

impl Wire {
    /// The way to the service at the address, with the client certificate of the credentials.
    pub(crate) fn new(url: &str, trust: Trust, credentials: Option<Arc<dyn CredentialProvider>>) -> Self {
        Self { trust, is_near: is_on_this_machine(url), credentials, client: Mutex::default() }
    }

    /// Sends a message. Redirects are followed as Go's client follows them, but what only the first host may see is
    /// left off for good once another scheme, host or port is asked.
    pub(crate) async fn send(&self, message: Message) -> Result<Arrived, Error> {
        let client = self.client().await?;
        let Message { mut method, mut url, mut headers, mut open_headers, mut body, limit } = message;
        let origin = url.origin();
        let mut is_of_asked = true;
        for _ in 0..=MOST_REDIRECTS {
            let mut request = reqwest::Request::new(method.clone(), url.clone());
            *request.headers_mut() = headers.clone();
            *request.body_mut() = (!body.is_empty()).then(|| body.clone().into());
            let answer = answer(&client, request, limit).await?;
            let Some(next) = target(&answer, &url)? else {
                return Ok(Arrived { response: response(answer), is_of_asked });
            };
            if !matches!(answer.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT) {
                method = if method == Method::HEAD { method } else { Method::GET };
                body.clear();
                for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
                    headers.remove(&name);
                    open_headers.remove(name);
                }
            }
            if next.origin() != origin {
                is_of_asked = false;
                headers.clone_from(&open_headers);
            }
            url = next;
        }
        Err(ServiceError::Redirects(MOST_REDIRECTS).into())
    }

    /// The client for what the files say now; connections live on while they say the same.
    async fn client(&self) -> Result<reqwest::Client, Error> {
        let (trust, credentials) = (self.trust.clone(), self.credentials.clone());
        let read = tokio::task::spawn_blocking(move || Material::read(&trust, credentials.as_deref()));
        let material = read.await.map_err(ServiceError::Interrupted)??;
        if let Some(client) = self.known_client(&material) {
            return Ok(client);
        }
        // The system's authorities are files too. Two at once may both make a client, which does no harm.
        let (trust, is_near) = (self.trust.clone(), self.is_near);
        let made = tokio::task::spawn_blocking(move || build(&material, &trust, is_near).map(|made| (material, made)));
        let (material, client) = made.await.map_err(ServiceError::Interrupted)??;
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some((material, client.clone()));
        Ok(client)
    }

    fn known_client(&self, material: &Material) -> Option<reqwest::Client> {
        let known = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(made_from, _)| made_from == material).map(|(_, client)| client.clone())
    }
}

/// Makes a client. Blocks.
fn build(material: &Material, trust: &Trust, is_near: bool) -> Result<reqwest::Client, ServiceError> {
    let builder = reqwest::Client::builder();
    let builder = if is_near { builder.no_proxy() } else { builder };
    builder
        .tls_backend_preconfigured(material.client_config(trust)?)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(Policy::none())
        .build()
        .map_err(ServiceError::Client)
}

/// The answer to one request, its body still on the way.
async fn answer(
    client: &reqwest::Client,
    request: reqwest::Request,
    limit: Option<Duration>,
) -> Result<reqwest::Response, ServiceError> {
    let answer = client.execute(request);
    let answer = match limit {
        Some(limit) => tokio::time::timeout(limit, answer).await.map_err(|_| ServiceError::HeaderTimeout(limit))?,
        None => answer.await,
    };
    answer.map_err(ServiceError::Transport)
}

fn response(answer: reqwest::Response) -> ServiceResponse {
    ServiceResponse {
        status: answer.status(),
        headers: answer.headers().clone(),
        body: unless_stalled(answer.bytes_stream()).boxed(),
    }
}

/// Where an answer sends the request on to; nothing if it is the last one.
fn target(answer: &reqwest::Response, url: &Url) -> Result<Option<Url>, ServiceError> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(place) = answer.headers().get(header::LOCATION) else { return Ok(None) };
    let next = place.to_str().ok().and_then(|place| url.join(place).ok());
    match next.filter(|next| matches!(next.scheme(), "http" | "https") && next.has_host()) {
        Some(next) => Ok(Some(next)),
        None => Err(ServiceError::Location),
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
