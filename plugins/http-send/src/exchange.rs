//! The request on the wire: attempts, redirects, time limit, bounded body.

use std::error::Error as _;
use std::future::Future;
use std::io::{ErrorKind, Read as _};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hyper::ext::ReasonPhrase;
use regent_core::backoff;
use regent_core::trace::Exchange;
use rustls::CertificateError;
use tokio::time::Instant;
use url::Url;

use crate::clients::{ClientError, Clients};
use crate::failure::Failure;
use crate::redirect::Hop;
use crate::request::Request;

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// What came back.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    /// `200 OK`, in the server's words.
    pub(crate) status_line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Sends the request, again if it failed and may be sent again.
pub(crate) async fn send(clients: &Clients, request: &Request) -> Result<Response, Failure> {
    let mut failures = 0;
    loop {
        match attempt(clients, request).await {
            Err(Failure::Network { .. }) if failures < request.retries => failures += 1,
            outcome => return outcome,
        }
        tokio::time::sleep(backoff::after(failures, LONGEST_WAIT)).await;
    }
}

async fn attempt(clients: &Clients, request: &Request) -> Result<Response, Failure> {
    let deadline = request.timeout.map(|limit| Instant::now() + limit);
    let mut hop = Hop::first(request);
    for _ in 0..=request.bounds.redirects {
        let asked = within(deadline, ask(clients, request, &hop)).await;
        let (answer, unpack) = asked.ok_or_else(|| request.timed_out(&hop.shown()))??;
        let next = if request.redirects { hop.next(request, answer.status(), answer.headers())? } else { None };
        let Some(next) = next else {
            let late = "context deadline exceeded (Client.Timeout or context cancellation while reading body)";
            let read = within(deadline, read(answer, unpack, request.bounds.body)).await;
            return read.ok_or_else(|| Failure::Body(late.to_owned()))?;
        };
        hop = next;
    }
    Err(request.failed(&hop.shown(), format!("stopped after {} redirects", request.bounds.redirects)))
}

/// The outcome of the work, unless it takes too long.
async fn within<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline, work).await.ok(),
        None => Some(work.await),
    }
}

/// One request and what comes before the body; also whether we asked for the body to be packed.
async fn ask(clients: &Clients, request: &Request, hop: &Hop) -> Result<(reqwest::Response, bool), Failure> {
    let route = clients.route(&request.setup, &hop.url).map_err(|error| match error {
        ClientError::Tls(error) => request.written.refused(&error),
        ClientError::Other(text) => Failure::Request(text),
    })?;
    let mut headers = hop.headers.clone();
    let unpack = hop.method != Method::HEAD
        && !headers.contains_key(header::ACCEPT_ENCODING)
        && !headers.contains_key(header::RANGE);
    if unpack {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if route.is_renamed
        && let Ok(host) = HeaderValue::try_from(authority(&hop.url))
    {
        headers.entry(header::HOST).or_insert(host);
    }
    if hop.body.is_empty() && matches!(hop.method, Method::POST | Method::PUT | Method::PATCH) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let start = |name: &str, side| request.trace.as_ref().map(|span| span.child(name, side));
    let exchange = Exchange::start(start, hop.method.as_str(), hop.url.as_str());
    if let Some(exchange) = &exchange {
        exchange.inject(&mut headers);
    }
    let mut message = route.client.request(hop.method.clone(), route.url).headers(headers);
    if !hop.body.is_empty() {
        message = message.body(hop.body.clone());
    }
    let answer = message.send().await;
    let answer = answer.map_err(|error| {
        let why = cause(&error, request, &hop.url);
        if let Some(exchange) = &exchange {
            exchange.failed(&why);
        }
        request.failed(&hop.shown(), why)
    })?;
    if let Some(exchange) = &exchange {
        exchange.answered(answer.status());
    }
    Ok((answer, unpack))
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The whole response.
async fn read(mut answer: reqwest::Response, unpack: bool, most: usize) -> Result<Response, Failure> {
    let status = answer.status();
    let reason =
        answer.extensions().get::<ReasonPhrase>().map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned());
    let reason = reason.unwrap_or_else(|| status.canonical_reason().unwrap_or_default().to_owned());
    let mut headers = std::mem::take(answer.headers_mut());
    let mut body = BytesMut::new();
    loop {
        match answer.chunk().await {
            Ok(None) => break,
            Ok(Some(piece)) if body.len() + piece.len() <= most => body.extend_from_slice(&piece),
            Ok(Some(_)) => return Err(too_large(most)),
            Err(_) => return Err(Failure::Body("unexpected EOF".to_owned())),
        }
    }
    let mut body = body.freeze();
    // What Go's client takes off: how the body travelled.
    headers.remove(header::TRANSFER_ENCODING);
    headers.remove(header::TRAILER);
    let packed =
        headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"gzip"));
    if unpack && packed {
        headers.remove(header::CONTENT_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
        let unpacking = tokio::task::spawn_blocking(move || unpacked(&body, most));
        body = unpacking.await.map_err(|error| Failure::Body(error.to_string()))??;
    }
    Ok(Response { status, status_line: format!("{} {reason}", status.as_u16()), headers, body })
}

fn unpacked(packed: &[u8], most: usize) -> Result<Bytes, Failure> {
    let mut body = Vec::new();
    if packed.is_empty() {
        return Ok(body.into());
    }
    let bound = u64::try_from(most).unwrap_or(u64::MAX);
    let read = MultiGzDecoder::new(packed).take(bound.saturating_add(1)).read_to_end(&mut body);
    match read {
        Ok(_) if body.len() > most => Err(too_large(most)),
        Ok(_) => Ok(body.into()),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(Failure::Body("unexpected EOF".to_owned())),
        Err(_) => Err(Failure::Body("gzip: invalid header".to_owned())),
    }
}

fn too_large(most: usize) -> Failure {
    Failure::Body(format!("response body is larger than {most} bytes"))
}

/// What went wrong, in the words of Go's client where it has some that people look for.
fn cause(error: &reqwest::Error, request: &Request, url: &Url) -> String {
    let socket = request.setup.socket.as_deref();
    let place = match socket {
        Some(path) => format!("dial unix {}", path.display()),
        None => format!("dial tcp {}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0)),
    };
    let mut last = error.to_string();
    let mut link = error.source();
    while let Some(error) = link {
        last = error.to_string();
        let io = error.downcast_ref::<std::io::Error>().map(innermost);
        if let Some(tls) = io.and_then(std::io::Error::get_ref).and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            return tls_cause(tls);
        }
        if last == "dns error" {
            return format!("dial tcp: lookup {}: no such host", url.host_str().unwrap_or_default());
        }
        match io.map(std::io::Error::kind) {
            Some(ErrorKind::ConnectionRefused) => return format!("{place}: connect: connection refused"),
            Some(ErrorKind::NotFound) if socket.is_some() => {
                return format!("{place}: connect: no such file or directory");
            }
            Some(ErrorKind::ConnectionReset) => return "read: connection reset by peer".to_owned(),
            Some(ErrorKind::UnexpectedEof) => return "EOF".to_owned(),
            _ => {}
        }
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message) {
            return "EOF".to_owned();
        }
        link = error.source();
    }
    last
}

/// The error that other errors of its kind are wrapped around.
fn innermost(error: &std::io::Error) -> &std::io::Error {
    error.get_ref().and_then(|inner| inner.downcast_ref()).map_or(error, innermost)
}

fn tls_cause(error: &rustls::Error) -> String {
    let why = match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "x509: certificate signed by unknown authority".to_owned()
        }
        rustls::Error::InvalidCertificate(why) => format!("x509: {why}"),
        other => return format!("tls: {other}"),
    };
    format!("tls: failed to verify certificate: {why}")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(size: usize) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&vec![b'x'; size]).expect("memory is enough");
        encoder.finish().expect("memory is enough")
    }

    #[test]
    fn a_packed_body_is_bounded_too() {
        assert_eq!(unpacked(&packed(1000), 1000).map(|body| body.len()), Ok(1000));
        assert_eq!(unpacked(&packed(1001), 1000), Err(too_large(1000)));
        assert_eq!(unpacked(&packed(1000)[..20], 1000), Err(Failure::Body("unexpected EOF".to_owned())));
        assert_eq!(unpacked(b"this is plain text", 1000), Err(Failure::Body("gzip: invalid header".to_owned())));
    }
}
