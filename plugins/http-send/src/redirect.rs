//! Where redirects lead, followed as Go's client does.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use url::Url;

use crate::failure::Failure;
use crate::request::{Request, is_allowed, without_password};

/// Headers that another domain must not see.
const SECRET: &[&str] = &["authorization", "www-authenticate", "cookie", "cookie2"];

/// Headers that tell of a body.
const OF_BODY: &[&str] =
    &["content-type", "content-length", "content-encoding", "content-language", "content-location"];

/// One request on the way.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Hop {
    /// The request itself.
    pub(crate) fn first(request: &Request) -> Self {
        Self {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        }
    }

    /// The address as errors show it.
    pub(crate) fn shown(&self) -> String {
        without_password(self.url.as_str())
    }

    /// Where the answer sends us, if it does.
    pub(crate) fn next(
        &self,
        request: &Request,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, Failure> {
        let keeps_body = match status.as_u16() {
            301..=303 => false,
            307 | 308 => true,
            _ => return Ok(None),
        };
        let location = headers.get(header::LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let Some(location) = location.filter(|location| !location.is_empty()) else { return Ok(None) };
        let failed = |url: &str, why: String| request.failed(url, why);
        let url = self.url.join(&location);
        let url = url.map_err(|why| {
            failed(&self.shown(), format!("failed to parse Location header {:?}: {why}", without_password(&location)))
        })?;
        is_allowed(request.allow_net.as_deref(), &url).map_err(|why| failed(&without_password(&location), why))?;
        if !matches!(url.scheme(), "http" | "https") {
            let why = format!("unsupported protocol scheme {:?}", url.scheme());
            return Err(failed(&without_password(url.as_str()), why));
        }
        let mut next = Self { url, ..self.clone() };
        if !keeps_body {
            next.drop_body();
        }
        next.hide_from_strangers(request, self);
        Ok(Some(next))
    }

    fn drop_body(&mut self) {
        if !matches!(self.method, Method::GET | Method::HEAD) {
            self.method = Method::GET;
        }
        self.body = Bytes::new();
        for name in OF_BODY {
            self.headers.remove(*name);
        }
    }

    /// Takes off what is meant for one host only, and says where the request comes from.
    fn hide_from_strangers(&mut self, request: &Request, previous: &Self) {
        if previous.url.host_str() != self.url.host_str() || previous.url.port() != self.url.port() {
            self.headers.remove(header::HOST);
        }
        let (first, now) = (request.url.host_str().unwrap_or_default(), self.url.host_str().unwrap_or_default());
        if now != first && !now.ends_with(&format!(".{first}")) {
            for name in SECRET {
                self.headers.remove(*name);
            }
        }
        let mut referer = previous.url.clone();
        referer.set_fragment(None);
        // Only addresses without a host refuse these, and nothing secret is in them.
        let _ = (referer.set_username(""), referer.set_password(None));
        let leaks = previous.url.scheme() == "https" && self.url.scheme() == "http";
        match HeaderValue::try_from(referer.as_str()) {
            Ok(referer) if !leaks => drop(self.headers.insert(header::REFERER, referer)),
            _ => drop(self.headers.remove(header::REFERER)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use regent_core::value::decode;

    use super::*;

    fn request(json: &str, allowed: Option<&[Arc<str>]>) -> Request {
        let value = decode(json.as_bytes()).expect("JSON");
        let request = Request::read(value.as_object().expect("an object"), None, allowed);
        request.unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    fn post(allowed: Option<&[Arc<str>]>) -> Request {
        let json = r#"{"method":"post","url":"https://bob:pw@a.test/x?y","body":1,
                       "headers":{"authorization":"secret","content-type":"t","x-a":"1"}}"#;
        request(json, allowed)
    }

    fn follow(request: &Request, hop: &Hop, status: u16, location: &str) -> Result<Option<Hop>, Failure> {
        let headers = [(header::LOCATION, HeaderValue::try_from(location).expect("fit"))].into_iter().collect();
        hop.next(request, StatusCode::from_u16(status).expect("a status"), &headers)
    }

    #[test]
    fn a_redirect_keeps_the_body_or_turns_into_a_get() {
        let request = post(None);
        let first = Hop::first(&request);
        let next = |status, location| follow(&request, &first, status, location).expect("is fine");
        let kept = next(307, "/z").expect("a redirect");
        assert_eq!((kept.method, kept.url.as_str(), kept.body), (Method::POST, "https://bob:pw@a.test/z", "1".into()));
        assert_eq!(kept.headers[header::REFERER], "https://a.test/x?y");
        let dropped = next(302, "//b.test/").expect("a redirect");
        assert_eq!(
            (dropped.method, dropped.url.as_str(), dropped.body),
            (Method::GET, "https://b.test/", Bytes::new())
        );
        assert!(!dropped.headers.contains_key(header::CONTENT_TYPE) && dropped.headers.contains_key("x-a"));
        assert!(next(304, "/z").is_none() && next(301, "").is_none() && next(200, "/z").is_none());
    }

    #[test]
    fn strangers_are_not_told_secrets() {
        let request = post(None);
        let at =
            |location| follow(&request, &Hop::first(&request), 301, location).expect("is fine").expect("a redirect");
        assert!(at("https://a.test/z").headers.contains_key(header::AUTHORIZATION));
        assert!(at("https://sub.a.test/z").headers.contains_key(header::AUTHORIZATION));
        let stranger = at("http://b.test/z");
        assert!(!stranger.headers.contains_key(header::AUTHORIZATION));
        assert!(!stranger.headers.contains_key(header::REFERER), "not in the clear");
        let back = follow(&request, &stranger, 301, "https://a.test/").expect("is fine").expect("a redirect");
        assert!(!back.headers.contains_key(header::AUTHORIZATION));
    }

    #[test]
    fn a_redirect_must_lead_to_an_allowed_host() {
        let allowed: [Arc<str>; 1] = ["a.test".into()];
        let request = post(Some(&allowed));
        let error = follow(&request, &Hop::first(&request), 301, "http://b.test/").expect_err("refused");
        assert_eq!(error.raised().to_string(), r#"Post "http://b.test/": unallowed host: b.test"#);
        let error = follow(&post(None), &Hop::first(&request), 301, "ftp://b.test/").expect_err("refused");
        assert_eq!(error.raised().to_string(), r#"Post "ftp://b.test/": unsupported protocol scheme "ftp""#);
    }
}
