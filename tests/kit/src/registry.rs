//! A registry in the test's own process, as far as pulling goes: manifests, blobs, tokens, and whatever a test wants it
//! to answer instead.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::control_plane::acceptor;
use crate::{Certificates, ClientAuth, Received};

/// A real HTTP/1.1 server on 127.0.0.1 that plays an OCI registry, its token endpoint, or the store that it sends to.
///
/// | Request                               | Answer                                                                |
/// |---------------------------------------|-----------------------------------------------------------------------|
/// | `HEAD`, `GET /v2/…/manifests/<name>`  | the manifest with its type and digest; 404 without `Accept`, as GitHub's |
/// | `GET /v2/…/blobs/<digest>`            | the blob                                                              |
/// | `GET /token`                          | a token; 401 unless the request has the `Authorization` that it needs |
/// | anything else                         | 404                                                                   |
///
/// It runs until the value is dropped.
#[derive(Debug)]
pub struct Registry {
    address: SocketAddr,
    certificates: Option<Certificates>,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    // A lock, because both sides change it and neither waits while holding it.
    script: Mutex<Script>,
}

#[derive(Debug, Default)]
struct Script {
    /// Manifests by path.
    manifests: BTreeMap<String, Held>,
    /// Blobs by path.
    blobs: BTreeMap<String, Bytes>,
    /// Answers by method and path that win over all others.
    instead: BTreeMap<(Method, String), Canned>,
    /// The `Authorization` that requests below `/v2/` need, and what those hear that have another.
    needed: Option<(String, String)>,
    /// The token of `/token`, and the `Authorization` that it needs.
    token: Option<(String, Option<String>)>,
    received: Vec<Received>,
}

#[derive(Debug, Clone)]
struct Held {
    media_type: String,
    digest: String,
    content: Bytes,
}

#[derive(Debug, Clone)]
struct Canned {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Registry {
    /// The blob that the manifests name as their configuration.
    pub const EMPTY_CONFIG: &'static str = "{}";

    /// The type of [`Registry::manifest_of`].
    pub const MANIFEST: &'static str = "application/vnd.oci.image.manifest.v1+json";

    /// How content is called: `sha256:` and the digest.
    ///
    /// # Panics
    /// Never: ring knows SHA-256.
    pub fn digest_of(content: &[u8]) -> String {
        let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
        let hash = suite.tls13().expect("a suite of TLS 1.3").common.hash_provider.hash(content);
        hash.as_ref().iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// A manifest whose one layer is a bundle of that digest and size.
    pub fn manifest_of(layer: &str, size: usize) -> Value {
        json!({
            "schemaVersion": 2,
            "mediaType": Self::MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": Self::digest_of(Self::EMPTY_CONFIG.as_bytes()),
                "size": Self::EMPTY_CONFIG.len(),
            },
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": layer, "size": size}],
        })
    }

    /// Starts a registry that has nothing yet.
    ///
    /// # Panics
    /// If the machine has no free port on 127.0.0.1.
    pub async fn start() -> Self {
        Self::listen(None, None).await
    }

    /// The same with TLS, and an authority of its own.
    ///
    /// # Panics
    /// As [`Registry::start`].
    pub async fn start_tls(clients: ClientAuth) -> Self {
        let certificates = Certificates::generate();
        Self::listen(Some(acceptor(&certificates, clients)), Some(certificates)).await
    }

    async fn listen(tls: Option<TlsAcceptor>, certificates: Option<Certificates>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("127.0.0.1 has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        let accepting = tokio::spawn(accept(listener, tls, Arc::clone(&shared)));
        Self { address, certificates, shared, accepting }
    }

    /// The service URL to configure.
    pub fn url(&self) -> String {
        let scheme = if self.certificates.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The certificates of its authority.
    ///
    /// # Panics
    /// If it was not started by [`Registry::start_tls`].
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("the registry was started by `start_tls`")
    }

    /// Has a bundle under a tag from now on. Returns the digest of its manifest and that of its layer.
    pub fn push(&self, repository: &str, tag: &str, bundle: impl Into<Bytes>) -> (String, String) {
        let bundle = bundle.into();
        let size = bundle.len();
        let layer = self.put_blob(repository, bundle);
        self.put_blob(repository, Self::EMPTY_CONFIG);
        let manifest = Self::manifest_of(&layer, size);
        (self.put_manifest(repository, tag, Self::MANIFEST, &manifest), layer)
    }

    /// Has a blob from now on. Returns its digest.
    pub fn put_blob(&self, repository: &str, content: impl Into<Bytes>) -> String {
        let content = content.into();
        let digest = Self::digest_of(&content);
        self.script().blobs.insert(format!("/v2/{repository}/blobs/{digest}"), content);
        digest
    }

    /// Has a manifest, or whatever the value is, under a name and under its digest. Returns the digest.
    pub fn put_manifest(&self, repository: &str, name: &str, media_type: &str, content: &Value) -> String {
        let content = Bytes::from(content.to_string());
        let digest = Self::digest_of(&content);
        let held = Held { media_type: media_type.to_owned(), digest: digest.clone(), content };
        for name in [name, &digest] {
            self.script().manifests.insert(format!("/v2/{repository}/manifests/{name}"), held.clone());
        }
        digest
    }

    /// Answers a request for a path (without its query) with this from now on, whatever else there is. To `HEAD`, with
    /// everything but the body.
    ///
    /// # Panics
    /// If HTTP does not allow the status or a header.
    pub fn answer(&self, method: &str, path: &str, status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) {
        let method = method.parse().expect("HTTP allows the method");
        let status = StatusCode::from_u16(status).expect("HTTP allows the status");
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.script().instead.insert((method, path.to_owned()), Canned { status, headers, body: body.into() });
    }

    /// Ends what [`Registry::answer`] began.
    ///
    /// # Panics
    /// If HTTP does not allow the method.
    pub fn answer_as_usual(&self, method: &str, path: &str) {
        let method: Method = method.parse().expect("HTTP allows the method");
        self.script().instead.remove(&(method, path.to_owned()));
    }

    /// Wants this `Authorization` below `/v2/` from now on, and sends others away with this challenge.
    pub fn require(&self, authorization: &str, challenge: &str) {
        self.script().needed = Some((authorization.to_owned(), challenge.to_owned()));
    }

    /// Gives this token at `/token` from now on, to whoever has the `Authorization` if one is wanted.
    pub fn issue(&self, token: &str, authorization: Option<&str>) {
        self.script().token = Some((token.to_owned(), authorization.map(str::to_owned)));
    }

    /// Everything received so far, oldest first.
    pub fn requests(&self) -> Vec<Received> {
        self.script().received.clone()
    }

    /// The method and path of everything received since the last call, oldest first.
    pub fn take_asked(&self) -> Vec<String> {
        let received = std::mem::take(&mut self.script().received);
        received.iter().map(|received| format!("{} {}", received.method, received.path)).collect()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.script()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let (tls, shared) = (tls.clone(), Arc::clone(&shared));
                connections.spawn(async move {
                    match tls {
                        None => speak(stream, shared).await,
                        // A handshake that fails is for the client to tell.
                        Some(tls) => if let Ok(stream) = tls.accept(stream).await {
                            speak(stream, shared).await;
                        },
                    }
                });
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let handler = service_fn(|request| handle(Arc::clone(&shared), request));
    // The client's own errors are for the client to tell.
    let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), handler).await;
}

async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let received = Received { method: parts.method, path, headers: parts.headers, body };
    let mut script = shared.script();
    script.received.push(received.clone());
    Ok(script.answer(&received).map(Full::new))
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no one panics while holding the script")
    }
}

impl Script {
    fn answer(&self, asked: &Received) -> Response<Bytes> {
        let path = asked.bare_path();
        if let Some(canned) = self.instead.get(&(asked.method.clone(), path.to_owned())) {
            return canned.response();
        }
        let authorization = asked.header("authorization");
        if path == "/token" {
            return self.give_token(authorization);
        }
        if let Some((needed, challenge)) = &self.needed
            && authorization != Some(needed)
        {
            let mut answer = plain(StatusCode::UNAUTHORIZED);
            let challenge = HeaderValue::try_from(challenge).expect("HTTP allows the challenge");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            return answer;
        }
        if let Some(blob) = self.blobs.get(path) {
            return Response::new(blob.clone());
        }
        match self.manifests.get(path) {
            Some(held) if asked.header("accept").is_some() => held.response(),
            _ => plain(StatusCode::NOT_FOUND),
        }
    }

    fn give_token(&self, authorization: Option<&str>) -> Response<Bytes> {
        match &self.token {
            None => plain(StatusCode::NOT_FOUND),
            Some((_, Some(needed))) if authorization != Some(needed) => plain(StatusCode::UNAUTHORIZED),
            Some((token, _)) => Response::new(json!({ "token": token, "expires_in": 60 }).to_string().into()),
        }
    }
}

impl Held {
    fn response(&self) -> Response<Bytes> {
        let mut answer = Response::new(self.content.clone());
        let header = |text: &str| HeaderValue::try_from(text).expect("HTTP allows the header");
        answer.headers_mut().insert(header::CONTENT_TYPE, header(&self.media_type));
        answer.headers_mut().insert("docker-content-digest", header(&self.digest));
        answer
    }
}

impl Canned {
    fn response(&self) -> Response<Bytes> {
        let headers = self.headers.iter();
        let builder = headers.fold(Response::builder().status(self.status), |it, (name, value)| it.header(name, value));
        builder.body(self.body.clone()).expect("HTTP allows the headers")
    }
}

fn plain(status: StatusCode) -> Response<Bytes> {
    let mut answer = Response::default();
    *answer.status_mut() = status;
    answer
}
