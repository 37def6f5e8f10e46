//! A collector of traces on loopback: OTLP as protobuf over HTTP and over gRPC, in the clear or with TLS.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;
use regent_kit::Certificates;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::SOON;

/// A span as it has arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty for the first span of a trace.
    pub(crate) parent: String,
    /// 2 for servers, 3 for clients.
    pub(crate) kind: i32,
    pub(crate) failed: bool,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) resource: BTreeMap<String, String>,
}

/// Keeps what it is told. Clones share it.
#[derive(Clone)]
pub(crate) struct Collector {
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        Self::listen(None).await
    }

    /// One that only those can talk to that show a certificate of the authority.
    pub(crate) async fn start_mutual(certificates: &Certificates) -> Self {
        Self::listen(Some(acceptor(certificates))).await
    }

    async fn listen(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let collector = Self { address, seen: Arc::default() };
        let accepting = collector.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (collector, tls) = (accepting.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => collector.serve(stream).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                collector.serve(stream).await;
                            }
                        }
                    }
                });
            }
        });
        collector
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let answer = service_fn(move |request| self.clone().answer(request));
        // Clients may hang up as they like.
        let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
    }

    async fn answer(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = Infallible>>, Infallible> {
        let path = request.uri().path().to_owned();
        let is_rpc = request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/grpc");
        let body = request.into_body().collect().await.expect("a body").to_bytes();
        let message = if is_rpc {
            assert_eq!(path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
            assert_eq!(usize::try_from(u32::from_be_bytes(body[1..5].try_into().expect("4"))), Ok(body.len() - 5));
            body.slice(5..)
        } else {
            assert_eq!(path, "/v1/traces");
            body
        };
        self.keep(ExportTraceServiceRequest::decode(message).expect("an export request"));
        let status = is_rpc.then(|| {
            Ok(HeaderMap::from_iter([("grpc-status".parse().expect("a name"), "0".parse().expect("a value"))]))
        });
        let answer = Bytes::from_static(if is_rpc { b"\0\0\0\0\0" } else { b"" });
        let mut response = Response::new(Full::new(answer).with_trailers(std::future::ready(status)));
        if is_rpc {
            response.headers_mut().insert(CONTENT_TYPE, "application/grpc".parse().expect("a value"));
        }
        Ok(response)
    }

    fn keep(&self, request: ExportTraceServiceRequest) {
        let mut seen = self.seen.lock().expect("nobody panics here");
        for group in request.resource_spans {
            let resource = texts(&group.resource.unwrap_or_default().attributes);
            for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                seen.push(Seen {
                    name: span.name,
                    trace: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    kind: span.kind,
                    failed: span.status.is_some_and(|status| status.code == 2),
                    attributes: texts(&span.attributes),
                    resource: resource.clone(),
                });
            }
        }
    }

    /// What has arrived so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("nobody panics here").clone()
    }

    /// Waits for a span.
    pub(crate) async fn wait_for(&self, what: &str, wanted: impl Fn(&Seen) -> bool) -> Seen {
        let found = regent_kit::wait::until(SOON, what, async || self.seen().into_iter().find(|span| wanted(span)));
        found.await.unwrap_or_else(|error| panic!("{error}: {:#?}", self.seen()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.clone().and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

fn acceptor(certificates: &Certificates) -> TlsAcceptor {
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let chain = |pem: &str| CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>().expect("PEM");
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(chain(&certificates.ca));
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), crypto.clone()).build();
    let key = PrivateKeyDer::from_pem_slice(certificates.server_key.as_bytes()).expect("a key");
    let mut config = ServerConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .expect("the usual versions")
        .with_client_cert_verifier(clients.expect("a verifier"))
        .with_single_cert(chain(&certificates.server_cert), key)
        .expect("they belong together");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}
