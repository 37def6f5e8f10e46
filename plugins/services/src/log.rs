//! Requests and answers in the log, at debug level, without what is secret.

use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue};
use regent_core::Value;
use regent_core::service::{ServiceRequest, ServiceResponse};
use tracing::Level;
use url::Url;

/// Headers that are never shown, whoever set them.
const SECRET: &[&str] = &["authorization", "proxy-authorization", "cookie", "set-cookie", "x-amz-security-token"];

/// Most bytes of a failing answer's body that the log shows.
const EXCERPT: usize = 1024;

/// Notes a request that is about to be sent.
pub(crate) fn request(request: &ServiceRequest, url: &str) {
    if tracing::enabled!(Level::DEBUG) {
        let (url, headers) = (shown_url(url), shown_headers(&request.headers));
        tracing::debug!(method = %request.method, %url, %headers, "Sending request.");
    }
}

/// Notes an answer whose headers have arrived, a failing one with the beginning of its body, which is waited for: whoever
/// sees that a request has failed does not read on.
pub(crate) async fn response(method: &http::Method, url: &str, mut response: ServiceResponse) -> ServiceResponse {
    if !tracing::enabled!(Level::DEBUG) {
        return response;
    }
    let (url, status, headers) = (shown_url(url), response.status, shown_headers(&response.headers));
    if status.as_u16() < 400 {
        tracing::debug!(%method, %url, %status, %headers, "Received response.");
        return response;
    }
    let mut body = response.body.fuse();
    let first = body.next().await;
    let excerpt = first.as_ref().and_then(|piece| piece.as_ref().ok()).map(|piece| &piece[..piece.len().min(EXCERPT)]);
    let text = String::from_utf8_lossy(excerpt.unwrap_or_default());
    tracing::debug!(%method, %url, %status, %headers, response = %text, "Received response.");
    response.body = stream::iter(first).chain(body).boxed();
    response
}

/// The headers but those that are secret by their names: what a host may see that nobody meant to ask.
pub(crate) fn without_secrets(headers: &HeaderMap) -> HeaderMap {
    let mut open = headers.clone();
    for name in SECRET {
        open.remove(*name);
    }
    open
}

/// The headers as an object of lists.
fn shown_headers(headers: &HeaderMap) -> Value {
    let shown = |name: &HeaderName, value: &HeaderValue| {
        if value.is_sensitive() || SECRET.contains(&name.as_str()) {
            Value::from("REDACTED")
        } else {
            Value::from(String::from_utf8_lossy(value.as_bytes()).into_owned())
        }
    };
    let lists = headers.keys().map(|name| {
        let values: Vec<Value> = headers.get_all(name).iter().map(|value| shown(name, value)).collect();
        (name.as_str(), Value::from(values))
    });
    Value::object(lists)
}

/// The address without a password.
fn shown_url(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            // Only addresses without a host refuse this, and they have no password.
            let _ = url.set_password(Some("REDACTED"));
            url.into()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let mut headers = HeaderMap::new();
        let mut secret = HeaderValue::from_static("hunter2");
        headers.insert(header::AUTHORIZATION, secret.clone());
        secret.set_sensitive(true);
        headers.insert("x-api-key", secret);
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        let shown = shown_headers(&headers).to_string();
        assert_eq!(shown, r#"{"accept":["*/*"],"authorization":["REDACTED"],"x-api-key":["REDACTED"]}"#);
        assert_eq!(shown_url("https://bob:hunter2@acme/x"), "https://bob:REDACTED@acme/x");
        assert_eq!(shown_url("https://acme/x"), "https://acme/x");
    }
}
