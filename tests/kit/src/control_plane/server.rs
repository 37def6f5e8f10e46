//! Sockets: accepts connections, lets hyper speak HTTP, and breaks off where a fault wants that.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Shared;
use super::fault::Fault;
use super::journal::{Journal, Received};
use super::script::Script;
use super::service::{News, serve};
use crate::Certificates;
use crate::certificates::{chain, crypto, key, roots};

/// Must clients of a TLS server show a certificate?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// No, and none is asked for.
    None,
    /// Yes, one that the server's own authority signed.
    Required,
}

/// What makes connections those of a server with these certificates.
pub(crate) fn acceptor(certificates: &Certificates, clients: ClientAuth) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(crypto()).with_safe_default_protocol_versions();
    let config = config.expect("ring speaks TLS 1.2 and 1.3");
    let config = match clients {
        ClientAuth::None => config.with_no_client_auth(),
        ClientAuth::Required => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots(&certificates.ca), crypto());
            config.with_client_cert_verifier(verifier.build().expect("there is an authority to trust"))
        }
    };
    let config = config.with_single_cert(chain(&certificates.server_cert), key(&certificates.server_key));
    TlsAcceptor::from(Arc::new(config.expect("the certificate belongs to the key")))
}

/// Runs until it is dropped, and its connections with it.
pub(super) async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(connection(stream, tls.clone(), Arc::clone(&shared)));
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    match tls {
        None => speak(stream, shared).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => speak(stream, shared).await,
            Err(error) => note(&shared, |journal| {
                journal.complaints.push(format!("TLS handshake: {error}"));
            }),
        },
    }
}

async fn speak(stream: impl Transport, shared: Arc<Shared>) {
    let handler = service_fn(|request| handle(Arc::clone(&shared), request));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), handler);
    let Err(error) = (&mut connection).await else { return };
    let Some(broken) = std::error::Error::source(&error).and_then(|source| source.downcast_ref()) else {
        return;
    };
    let stream = connection.into_parts().io.into_inner();
    break_off(stream, broken).await;
}

/// A fault that only the owner of the socket can carry out; hyper hands it up as the connection's error.
#[derive(Debug)]
enum Broken {
    ClientGone,
    Reset,
    HalfClose,
    /// Write these bytes, then hang up.
    After(Vec<u8>),
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

impl std::error::Error for Broken {}

async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Broken> {
    let mut request = receive(request).await?;
    let fault = shared.script().faults.take(request.bare_path());
    note(&shared, |journal| journal.requests.push(request.clone()));
    let answer = match fault {
        None => held(&shared, &request).await,
        Some(Fault::Hang(pause)) => {
            tokio::time::sleep(pause).await;
            answer(&shared, &request)
        }
        Some(Fault::Status(status)) => with_status(status),
        Some(Fault::Body(body)) => Response::new(body),
        Some(Fault::Reset) => return Err(Broken::Reset),
        Some(Fault::HalfClose) => return Err(Broken::HalfClose),
        Some(Fault::Truncate(length)) => {
            request.headers.remove(header::IF_NONE_MATCH);
            return Err(Broken::After(truncated(&answer(&shared, &request), length)));
        }
    };
    Ok(answer.map(Full::new))
}

async fn receive(request: Request<Incoming>) -> Result<Received, Broken> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken::ClientGone)?.to_bytes();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    Ok(Received { method: parts.method, path, headers: parts.headers, body })
}

/// "Not modified" is held back, if the client asks for that and the bundle's server does it, until there is news.
async fn held(shared: &Shared, request: &Received) -> Response<Bytes> {
    let mut news = shared.news.subscribe();
    let first = answer(shared, request);
    let patience = patience(&shared.script(), request);
    match patience {
        Some(wait) if first.status() == StatusCode::NOT_MODIFIED => {
            let _woken = tokio::time::timeout(wait, news.changed()).await;
            answer(shared, request)
        }
        _ => first,
    }
}

/// How long the request may be held.
fn patience(script: &Script, request: &Received) -> Option<Duration> {
    script.bundles.get(request.bare_path().strip_prefix("/bundles/")?).filter(|bundle| bundle.holds)?;
    let (_, seconds) = request.header("prefer")?.split_once("wait=")?;
    seconds.parse().ok().map(Duration::from_secs)
}

fn answer(shared: &Shared, request: &Received) -> Response<Bytes> {
    let (answer, news) = serve(&shared.script(), request);
    match news {
        None => {}
        Some(News::Upload(upload)) => note(shared, |journal| journal.uploads.push(upload)),
        Some(News::Status(report)) => note(shared, |journal| journal.statuses.push(report)),
        Some(News::Complaint(complaint)) => note(shared, |journal| journal.complaints.push(complaint)),
    }
    answer
}

/// Every change of the journal goes this way, and wakes whoever waits for it.
fn note(shared: &Shared, change: impl FnOnce(&mut Journal)) {
    shared.journal.send_modify(change);
}

fn with_status(status: u16) -> Response<Bytes> {
    let mut answer = Response::default();
    *answer.status_mut() = StatusCode::from_u16(status).expect("a fault's status is between 100 and 999");
    answer
}

/// The answer's head and `length` bytes of its body, with a `Content-Length` that promises more.
fn truncated(answer: &Response<Bytes>, length: usize) -> Vec<u8> {
    let sent = &answer.body()[..length.min(answer.body().len())];
    let promised = answer.body().len().max(sent.len() + 1);
    let mut raw = format!("HTTP/1.1 {}\r\ncontent-length: {promised}\r\n", answer.status()).into_bytes();
    for (name, value) in answer.headers() {
        raw.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    raw.extend_from_slice(b"\r\n");
    raw.extend_from_slice(sent);
    raw
}

async fn break_off(stream: impl Transport, how: &Broken) {
    match how {
        Broken::ClientGone => {}
        Broken::Reset => stream.reset(),
        Broken::HalfClose => {
            let mut stream = pin!(stream);
            let _client_gone = stream.shutdown().await;
            let _client_gone = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        }
        Broken::After(bytes) => {
            let mut stream = pin!(stream);
            // Failing means that the client has hung up first, which is as good an end.
            let _client_gone = stream.write_all(bytes).await;
            let _client_gone = stream.flush().await;
        }
    }
}

/// A connection that can also end impolitely.
trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Closes with RST instead of FIN.
    fn reset(self);
}

impl Transport for TcpStream {
    fn reset(self) {
        // Failing means that the socket is dead already.
        let _dead = self.set_zero_linger();
    }
}

impl Transport for TlsStream<TcpStream> {
    fn reset(self) {
        self.into_inner().0.reset();
    }
}
