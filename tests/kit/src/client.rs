//! One request, one connection, one answer.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::certificates::{chain, crypto, key, roots};
use crate::{Error, Payload};

/// Keeps a hanging server from hanging the test; nothing that answers takes that long.
const LIMIT: Duration = Duration::from_mins(1);

/// An HTTP/1.1 client that opens a connection per request.
///
/// No pool means no connection left over from a server that has restarted since; redirects are not followed and
/// nothing is tried again, so a test sees exactly what the server did.
#[derive(Clone, Default)]
pub struct Client {
    tls: Option<TlsConnector>,
}

impl Client {
    /// A client without TLS.
    pub fn plain() -> Self {
        Self::default()
    }

    /// A client that trusts the given authority and shows no certificate.
    ///
    /// # Panics
    /// If `ca_pem` holds no certificate.
    pub fn trusting(ca_pem: &str) -> Self {
        let config = tls_versions(ca_pem).with_no_client_auth();
        Self { tls: Some(TlsConnector::from(Arc::new(config))) }
    }

    /// A client that trusts the given authority and shows a certificate of its own.
    ///
    /// # Panics
    /// If one of the texts is not what its name says.
    pub fn with_certificate(ca_pem: &str, cert_pem: &str, key_pem: &str) -> Self {
        let config = tls_versions(ca_pem).with_client_auth_cert(chain(cert_pem), key(key_pem));
        let config = config.expect("the certificate belongs to the key");
        Self { tls: Some(TlsConnector::from(Arc::new(config))) }
    }

    /// The scheme of the URLs this client is for.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Sends a request whose URI names an address, as in `http://127.0.0.1:8181/health`.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Answer, Error> {
        let asked = format!("{} {}", request.method(), request.uri());
        match timeout(LIMIT, self.exchange(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(cause)) => Err(Error::new(format!("{asked}: {}", with_causes(&*cause)))),
            Err(_) => Err(Error::new(format!("{asked}: no complete answer within {LIMIT:?}"))),
        }
    }

    /// `GET`, for the many requests that are nothing more.
    pub async fn get(&self, url: &str) -> Result<Answer, Error> {
        self.send(build("GET", url, ())?).await
    }

    /// `POST` with a body.
    pub async fn post(&self, url: &str, payload: impl Into<Payload>) -> Result<Answer, Error> {
        self.send(build("POST", url, payload)?).await
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let authority = request.uri().authority().ok_or("the URI names no address")?;
        let address: SocketAddr = authority.as_str().parse()?;
        let stream = TcpStream::connect(address).await?;
        match &self.tls {
            None => Ok(talk(stream, request).await?),
            Some(tls) => {
                let stream = tls.connect(ServerName::from(address.ip()), stream).await?;
                Ok(talk(stream, request).await?)
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("scheme", &self.scheme()).finish()
    }
}

/// What a server said.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Compares with numbers: `answer.status == 404`.
    pub status: StatusCode,
    /// As received.
    pub headers: HeaderMap,
    /// As received, not decompressed.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none; the message shows the body.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(json) => json,
            Err(error) => panic!("{}: the body is not JSON ({error}): {}", self.status, self.text()),
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text; `None` when it is missing.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Builds a request from its parts; the error names the URL.
pub(crate) fn build(method: &str, url: &str, payload: impl Into<Payload>) -> Result<Request<Bytes>, Error> {
    let Payload { body, content_type } = payload.into();
    let mut request = Request::builder().method(method).uri(url);
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    request.body(body).map_err(|error| Error::new(format!("{method} {url}: {error}")))
}

/// One exchange over a connection that is made and dropped around it.
async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    mut request: Request<Bytes>,
) -> Result<Answer, hyper::Error> {
    prepare(&mut request);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async {
        let answer = sender.send_request(request.map(Full::new)).await?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    };
    // The connection only moves bytes; its own errors reach the exchange as well, so that one is listened to.
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        _ = connection => exchange.await,
    }
}

/// Turns the absolute URI into a `Host` header and a path, as servers expect them.
fn prepare(request: &mut Request<Bytes>) {
    let uri = request.uri().clone();
    if let Some(authority) = uri.authority() {
        let host = HeaderValue::from_str(authority.as_str()).expect("an authority is a valid header value");
        request.headers_mut().entry(header::HOST).or_insert(host);
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().expect("a URI's path is a URI");
}

fn tls_versions(ca_pem: &str) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    let config = ClientConfig::builder_with_provider(crypto()).with_safe_default_protocol_versions();
    config.expect("ring speaks TLS 1.2 and 1.3").with_root_certificates(roots(ca_pem))
}

fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
