//! The way to the collector: HTTP, or gRPC, which is HTTP/2 with five bytes before the message and a status behind it.
//!
//! `opentelemetry-otlp` makes the message and believes that it speaks HTTP. Its own gRPC would bring tonic with it, a
//! second HTTP stack's worth of crates, for this one call.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderValue, TE};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use opentelemetry_http::{HttpClient, HttpError};
use regent_core::backoff;
use regent_services::tls::ClientConfig;
use tokio::time::Instant;

use crate::config::{Config, Protocol};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Most bytes of an answer; it has nothing to say but what it did not like.
const MOST_ANSWER: usize = 64 << 10;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a gRPC message is preceded by: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Why a delivery failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("{}", regent_core::error::chain(.0))]
    Transport(#[from] reqwest::Error),
    #[error("the answer cannot be read: {0}")]
    Answer(String),
    #[error("the collector answers with status {0}")]
    Status(StatusCode),
    #[error("rpc error: code = {code} desc = {text}")]
    Rpc { code: u16, text: String },
}

impl WireError {
    /// Whether the same may go well a little later, in the words of the protocol's specification.
    fn is_passing(&self) -> bool {
        match self {
            Self::Transport(_) => true,
            Self::Answer(_) => false,
            Self::Status(status) => matches!(status.as_u16(), 429 | 502 | 503 | 504),
            Self::Rpc { code, .. } => matches!(code, 1 | 4 | 8 | 10 | 11 | 14 | 15),
        }
    }
}

/// Delivers messages to one collector.
pub(crate) struct Wire {
    client: reqwest::Client,
    protocol: Protocol,
    /// How long a delivery may take, attempts and all.
    limit: Duration,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl Wire {
    /// The way to the collector of that configuration. Connects to nothing.
    pub(crate) fn new(config: &Config, protocol: Protocol) -> Result<Self, WireError> {
        let builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT);
        let builder = match config.tls() {
            Some(tls) => builder.tls_backend_preconfigured(ClientConfig::clone(tls)),
            None => builder.tls_backend_preconfigured(no_tls()),
        };
        let builder = match protocol {
            Protocol::Grpc => builder.http2_prior_knowledge(),
            Protocol::Http => builder,
        };
        let builder = if is_on_this_machine(config.address()) { builder.no_proxy() } else { builder };
        Ok(Self { client: builder.build()?, protocol, limit: config.batching().export_timeout })
    }

    /// Where messages go.
    pub(crate) fn url(config: &Config, protocol: Protocol) -> String {
        let scheme = if config.tls().is_some() { "https" } else { "http" };
        let path = match protocol {
            Protocol::Grpc => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Protocol::Http => "/v1/traces",
        };
        format!("{scheme}://{}{path}", config.address())
    }

    async fn deliver(&self, request: &Request<Bytes>) -> Result<Bytes, WireError> {
        let deadline = Instant::now() + self.limit;
        let mut failures = 0;
        loop {
            let why = match self.attempt(request, deadline).await {
                Err(why) if why.is_passing() => why,
                outcome => return outcome,
            };
            failures += 1;
            let next = Instant::now() + backoff::after(failures, LONGEST_PAUSE);
            if next >= deadline {
                return Err(why);
            }
            tokio::time::sleep_until(next).await;
        }
    }

    async fn attempt(&self, request: &Request<Bytes>, deadline: Instant) -> Result<Bytes, WireError> {
        let mut headers = request.headers().clone();
        let mut body = request.body().clone();
        if self.protocol == Protocol::Grpc {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            headers.insert(TE, HeaderValue::from_static("trailers"));
            body = framed(&body);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let message = self.client.post(request.uri().to_string()).headers(headers).body(body).timeout(left);
        let answer = Response::<reqwest::Body>::from(message.send().await?);
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MOST_ANSWER).collect().await;
        let body = body.map_err(|error| WireError::Answer(error.to_string()))?;
        if !head.status.is_success() {
            return Err(WireError::Status(head.status));
        }
        match self.protocol {
            Protocol::Http => Ok(body.to_bytes()),
            Protocol::Grpc => {
                // An answer without a message has the status at its head.
                let behind = body.trailers().cloned();
                rpc_status(behind.as_ref().unwrap_or(&head.headers))?;
                let bytes = body.to_bytes();
                Ok(bytes.slice(PREFIX.min(bytes.len())..))
            }
        }
    }
}

#[async_trait]
impl HttpClient for Wire {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        Ok(Response::new(self.deliver(&request).await?))
    }
}

fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    // A delivery is bounded far below this by the number of its spans.
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

fn rpc_status(headers: &HeaderMap) -> Result<(), WireError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match text("grpc-status").parse::<u16>() {
        Ok(0) => Ok(()),
        Ok(code) => Err(WireError::Rpc { code, text: text("grpc-message").to_owned() }),
        Err(_) => Err(WireError::Answer("it has no grpc-status, so this is no gRPC server".to_owned())),
    }
}

/// TLS that trusts nobody, for connections without TLS: the client would look for the system's authorities otherwise.
fn no_tls() -> ClientConfig {
    let crypto = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .expect("ring knows the usual versions of TLS")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

/// Whether a collector is on the agent's own machine, and so not behind a proxy.
fn is_on_this_machine(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_framed_as_grpc_has_them() {
        assert_eq!(&framed(b"abc")[..], b"\0\0\0\0\x03abc");
        assert_eq!(&framed(b"")[..], b"\0\0\0\0\0");
    }

    #[test]
    fn the_status_of_a_call_is_in_the_headers_behind_it() {
        let headers = |status: &'static str| {
            let status = [("grpc-status", status), ("grpc-message", "no room")];
            let header = |(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value));
            HeaderMap::from_iter(status.map(header))
        };
        assert!(rpc_status(&headers("0")).is_ok());
        let exhausted = rpc_status(&headers("8")).expect_err("an error");
        assert_eq!(exhausted.to_string(), "rpc error: code = 8 desc = no room");
        assert!(exhausted.is_passing() && !rpc_status(&headers("3")).expect_err("an error").is_passing());
        assert!(!rpc_status(&HeaderMap::new()).expect_err("an error").is_passing());
    }

    #[test]
    fn proxies_are_not_for_this_machine() {
        for address in ["localhost:4317", "127.0.0.1:1", "[::1]:4318"] {
            assert!(is_on_this_machine(address), "{address}");
        }
        assert!(!is_on_this_machine("collector:4317") && !is_on_this_machine("10.0.0.1:4317"));
    }
}
