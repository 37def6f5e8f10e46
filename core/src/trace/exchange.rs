//! The span of a request that the agent sends, named and described as OPA's HTTP client does it.

use http::{HeaderMap, StatusCode, Uri};

use super::{Side, Span};

/// A request to somebody else, from its start until it is dropped.
#[derive(Debug)]
pub struct Exchange(Span);

impl Exchange {
    /// Starts the span of a request to the URL, if `start` starts any.
    pub fn start(start: impl FnOnce(&str, Side) -> Option<Span>, verb: &str, url: &str) -> Option<Self> {
        let uri = url.parse::<Uri>().unwrap_or_default();
        let name = if uri.path().is_empty() { verb.to_owned() } else { format!("{verb} {}", uri.path()) };
        let span = start(&name, Side::Client)?;
        let (known, original) = method(verb);
        span.set("http.request.method", known);
        if let Some(original) = original {
            span.set("http.request.method_original", original);
        }
        span.set("url.full", without_user(url));
        span.set("server.address", uri.host().unwrap_or_default());
        let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        if let Some(port) = uri.port_u16().filter(|port| *port != usual) {
            span.set("server.port", port);
        }
        Some(Self(span))
    }

    /// Tells the server which span its work belongs to.
    pub fn inject(&self, headers: &mut HeaderMap) {
        self.0.inject(headers);
    }

    /// There is an answer.
    pub fn answered(&self, status: StatusCode) {
        self.0.set("http.response.status_code", status.as_u16());
        if status.is_client_error() || status.is_server_error() {
            self.0.set("error.type", status.as_str());
            self.0.fail("");
        }
    }

    /// There is none.
    pub fn failed(&self, why: &str) {
        self.0.set("error.type", "_OTHER");
        self.0.fail(why);
    }
}

/// A method as attributes show it: one of those that everybody knows, or `_OTHER`; and what it was, if it was not spelt so.
pub fn method(verb: &str) -> (&'static str, Option<&str>) {
    const KNOWN: [&str; 9] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];
    match KNOWN.iter().find(|known| known.eq_ignore_ascii_case(verb)) {
        Some(known) => (known, (*known != verb).then_some(verb)),
        None => ("_OTHER", Some(verb)),
    }
}

/// The URL without name and password.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_stay_out_of_urls() {
        assert_eq!(without_user("https://ann:secret@x:1/a@b?c"), "https://x:1/a@b?c");
        assert_eq!(without_user("http://x?c=@"), "http://x?c=@");
        assert_eq!(without_user("bundles/a"), "bundles/a");
    }

    #[test]
    fn methods_that_nobody_knows_make_no_values_of_their_own() {
        assert_eq!(method("GET"), ("GET", None));
        assert_eq!(method("get"), ("GET", Some("get")));
        assert_eq!(method("BREW"), ("_OTHER", Some("BREW")));
    }
}
