//! Control-plane services: who can be asked for bundles, and told of decisions and status.
//!
//! `plugins/services` makes the clients; whoever talks to a service asks [`Services`] for it by name, at each request,
//! so that a new configuration takes effect without anyone's help.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode};

use crate::blocks::Blocks;
use crate::config::{ConfigErrors, Section};
use crate::error::{Error, ErrorKind};
use crate::trace::{Exchange, Tracing};

/// What is read of a body that nobody wants, for nothing but to keep the connection.
const DISCARD_LIMIT: usize = 64 << 10;

/// How long that may take.
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// A future that a trait object returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request to a service.
#[derive(Debug, Clone)]
pub struct ServiceRequest {
    /// The method.
    pub method: Method,
    /// What is appended to the service's URL, with its query.
    pub path: String,
    /// Headers beside those of the service.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How long to wait for the response's headers in place of the service's own limit; zero for ever.
    pub header_timeout: Option<Duration>,
}

impl ServiceRequest {
    /// A request without headers and body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: HeaderMap::new(), body: Bytes::new(), header_timeout: None }
    }
}

/// A service's response; its body is still on the way.
pub struct ServiceResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body in pieces, with any content encoding still on.
    pub body: BoxStream<'static, Result<Bytes, Error>>,
}

impl ServiceResponse {
    /// Reads the whole body.
    ///
    /// # Errors
    /// When the connection breaks or the body is larger than `limit` bytes.
    pub async fn read(self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        self.each(limit, |piece| body.extend_from_slice(piece)).await?;
        Ok(body)
    }

    /// Reads the whole body, which may be a large one.
    ///
    /// # Errors
    /// As [`ServiceResponse::read`].
    pub async fn blocks(self, limit: usize) -> Result<Blocks, Error> {
        let mut body = Blocks::default();
        self.each(limit, |piece| body.push(piece)).await?;
        Ok(body)
    }

    /// Reads the body to keep the connection, for who needs no more than status and headers: a body that breaks or does not
    /// end changes nothing.
    pub async fn discard(self) {
        let _ = tokio::time::timeout(DISCARD_TIME, self.read(DISCARD_LIMIT)).await;
    }

    async fn each(mut self, limit: usize, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
        let mut left = limit;
        while let Some(piece) = self.body.next().await {
            let piece = piece?;
            let over = || Error::new(ErrorKind::Refused, format!("response body exceeds {limit} bytes"));
            left = left.checked_sub(piece.len()).ok_or_else(over)?;
            take(&piece);
        }
        Ok(())
    }
}

/// A client of one service.
pub trait Service: Send + Sync {
    /// Sends a request with the service's headers and credentials; done when the response's headers have arrived.
    fn send(&self, request: ServiceRequest) -> BoxFuture<'_, Result<ServiceResponse, Error>>;

    /// The whole URL of what lies at the path, as far as it is known.
    fn address(&self, path: &str) -> String {
        path.to_owned()
    }

    /// Whether it may be asked to hold a request until there is news.
    fn may_hold(&self) -> bool {
        true
    }
}

/// Why an artifact could not be pulled from a registry, in the words of OPA: the cause of an [`Error`] of such a
/// service. Whoever asked tells it as it is, with nothing before it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub struct PullError {
    /// The whole text.
    pub text: String,
    /// What the registry or its token endpoint answered, if that is the reason.
    pub status: Option<StatusCode>,
}

impl PullError {
    /// The reason, if the error is of this kind.
    pub fn of(error: &Error) -> Option<&Self> {
        std::error::Error::source(error)?.downcast_ref()
    }
}

/// Makes clients for services of one `type`.
pub trait ServiceConnector: Send + Sync {
    /// The `type` in the configuration; empty for plain HTTP.
    fn kind(&self) -> &'static str;

    /// Makes the client of the service that the section configures. Connects to nothing.
    ///
    /// # Errors
    /// What is wrong with the section.
    fn connect(&self, section: &Section, credentials: &CredentialKinds) -> Result<Arc<dyn Service>, ConfigErrors>;
}

/// Makes credentials of one kind, chosen by `services.*.credentials.KIND` or `services.*.credentials.plugin: KIND`.
pub trait CredentialFactory: Send + Sync {
    /// The key below `credentials`.
    fn kind(&self) -> &'static str;

    /// Makes the credentials that the section configures. Reads no file and asks nobody.
    ///
    /// The section is `credentials.KIND`; or `plugins.KIND`, empty if it is not there, when they were chosen by
    /// `credentials.plugin: KIND`. `service` is the section of the service that they are for, which tells of its address
    /// and whom to trust.
    ///
    /// # Errors
    /// What is wrong with the section.
    fn build(&self, section: &Section, service: &Section) -> Result<Arc<dyn CredentialProvider>, ConfigErrors>;
}

/// Factories of credentials by kind.
pub type CredentialKinds = BTreeMap<&'static str, Arc<dyn CredentialFactory>>;

/// Proves to a service who the agent is.
pub trait CredentialProvider: Send + Sync {
    /// Adds to the request what proves it, for example a header. `url` is the whole one.
    fn prepare<'a>(&'a self, url: &'a str, request: &'a mut ServiceRequest) -> BoxFuture<'a, Result<(), Error>>;

    /// Hears that the service answered 401 to a request with these headers. What they prove is not to be used again, if
    /// something else can be had.
    fn refused(&self, sent: &HeaderMap) {
        let _ = sent;
    }

    /// Certificate and key for the TLS handshake.
    ///
    /// # Errors
    /// When they cannot be read.
    fn client_identity(&self) -> Result<Option<ClientIdentity>, Error> {
        Ok(None)
    }
}

/// A client certificate chain and its private key, each as PEM.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClientIdentity {
    /// The chain, the agent's own certificate first.
    pub certificates: Vec<u8>,
    /// The key.
    pub private_key: Vec<u8>,
}

/// The configured services by name. Clones share them.
#[derive(Clone, Default)]
pub struct Services {
    known: Arc<ArcSwap<BTreeMap<String, Arc<dyn Service>>>>,
    tracing: Tracing,
}

impl Services {
    /// No services yet, whose requests will be traced if anything is.
    pub(crate) fn new(tracing: Tracing) -> Self {
        Self { known: Arc::default(), tracing }
    }

    /// The client of a service.
    ///
    /// # Errors
    /// When no service has the name.
    pub fn get(&self, name: &str) -> Result<Arc<dyn Service>, Error> {
        let missing = || Error::new(ErrorKind::Config, format!("service name {name:?} not found"));
        let service = self.known.load().get(name).cloned().ok_or_else(missing)?;
        Ok(if self.tracing.is_on() { Arc::new(Traced { service, tracing: self.tracing.clone() }) } else { service })
    }

    /// Puts other services in place of all.
    pub fn replace(&self, services: BTreeMap<String, Arc<dyn Service>>) {
        self.known.store(Arc::new(services));
    }
}

/// A service each of whose requests begins a trace, as in OPA: nobody's request is the reason for them.
struct Traced {
    service: Arc<dyn Service>,
    tracing: Tracing,
}

impl Service for Traced {
    fn send(&self, mut request: ServiceRequest) -> BoxFuture<'_, Result<ServiceResponse, Error>> {
        Box::pin(async move {
            let address = self.address(&request.path);
            let start = |name: &str, side| self.tracing.start(|| name.to_owned(), side, None);
            let Some(exchange) = Exchange::start(start, request.method.as_str(), &address) else {
                return self.service.send(request).await;
            };
            exchange.inject(&mut request.headers);
            match self.service.send(request).await {
                Ok(mut response) => {
                    exchange.answered(response.status);
                    // The exchange lasts until the body has been read.
                    response.body = response.body.inspect(move |_| _ = &exchange).boxed();
                    Ok(response)
                }
                Err(error) => {
                    exchange.failed(&error.chain());
                    Err(error)
                }
            }
        })
    }

    fn address(&self, path: &str) -> String {
        self.service.address(path)
    }

    fn may_hold(&self) -> bool {
        self.service.may_hold()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_nobody_wants_is_read_for_a_while_and_no_longer() {
        let response = |body| ServiceResponse { status: StatusCode::OK, headers: HeaderMap::new(), body };
        let start = Instant::now();
        response(stream::iter([Ok(Bytes::from_static(b"thanks"))]).boxed()).discard().await;
        response(stream::repeat_with(|| Ok(Bytes::from_static(&[0; 1024]))).boxed()).discard().await;
        assert_eq!(Instant::now(), start, "neither a whole one nor one that is too large is waited for");
        response(stream::pending().boxed()).discard().await;
        assert_eq!(Instant::now(), start + DISCARD_TIME);
    }
}
