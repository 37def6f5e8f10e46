//! A span for every request, named and described as OPA's HTTP server does it.

use http::header::{CONTENT_LENGTH, HOST, USER_AGENT};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Version};
use http_body::Body as _;
use regent_core::trace::{Side, Span, Tracing, method};

use crate::answer::Response;
use crate::call::Call;
use crate::route::Route;

/// Makes spans, if anyone collects them.
pub(super) struct Trace {
    pub(super) tracing: Tracing,
}

impl Trace {
    pub(super) fn begin(&self, call: &mut Call) {
        call.span = start(&self.tracing, call);
    }
}

/// Notes what became of the call.
pub(super) fn end(call: &Call, response: &Response) {
    if let Some(span) = &call.span {
        finish(span, response);
    }
}

/// Whoever only looks at measurements leaves no trace.
fn start(tracing: &Tracing, call: &Call) -> Option<Span> {
    if matches!(call.route, Route::Metrics | Route::Memory) {
        return None;
    }
    let head = &call.head;
    let name = || format!("{} {}", head.method, call.route.handler());
    let span = tracing.start(name, Side::Server, Some(&head.headers))?;
    describe(&span, call, head);
    Some(span)
}

fn finish(span: &Span, response: &Response) {
    span.set("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.fail("");
    }
    if let Some(size) = response.body().size_hint().exact().filter(|size| *size > 0) {
        span.set("http.response.body.size", size);
    }
}

fn describe(span: &Span, call: &Call, head: &Parts) {
    let scheme = if call.client.is_encrypted { "https" } else { "http" };
    let (known, original) = method(head.method.as_str());
    span.set("http.request.method", known);
    if let Some(original) = original {
        span.set("http.request.method_original", original);
    }
    span.set("url.scheme", scheme);
    span.set("url.path", head.uri.path());
    if let Some(host) = authority(head) {
        span.set("server.address", host.host());
        let usual = if call.client.is_encrypted { 443 } else { 80 };
        if let Some(port) = host.port_u16().filter(|port| *port != usual) {
            span.set("server.port", port);
        }
    }
    let peer = call.client.name.parse::<std::net::SocketAddr>().ok();
    if let Some(peer) = peer {
        span.set("network.peer.address", peer.ip().to_string());
        span.set("network.peer.port", peer.port());
    }
    if let Some(client) = forwarded_for(&head.headers).or_else(|| peer.map(|peer| peer.ip().to_string())) {
        span.set("client.address", client);
    }
    if let Some(agent) = text(&head.headers, USER_AGENT.as_str()) {
        span.set("user_agent.original", agent);
    }
    let size = text(&head.headers, CONTENT_LENGTH.as_str()).and_then(|size| size.parse::<u64>().ok());
    if let Some(size) = size.filter(|size| *size > 0) {
        span.set("http.request.body.size", size);
    }
    span.set("network.protocol.version", version(head.version));
    if let Some(route) = call.route.template(call.below()) {
        span.set("http.route", route);
    }
}

/// Host and port that the client has asked for.
fn authority(head: &Parts) -> Option<Authority> {
    head.uri.authority().cloned().or_else(|| text(&head.headers, HOST.as_str())?.parse().ok())
}

/// The client as the first proxy has seen it.
fn forwarded_for(headers: &HeaderMap) -> Option<String> {
    let first = text(headers, "x-forwarded-for")?.split(',').next()?.trim();
    (!first.is_empty()).then(|| first.to_owned())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "2",
        Version::HTTP_10 => "1.0",
        _ => "1.1",
    }
}
