//! One upload: a chunk goes to the service.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use regent_core::Host;
use regent_core::service::ServiceRequest;

use super::buffer::Chunk;
use crate::error::UploadError;

/// Longest wait that a service may ask for, so that no mistake of its stops the logs for good.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Sends a chunk. Any 2xx accepts it.
pub(super) async fn upload(host: Host, service: String, path: String, chunk: Chunk) -> Result<(), UploadError> {
    let unreachable = |error: regent_core::Error| UploadError::Unreachable(error.chain());
    let response = host.services.get(&service).map_err(unreachable)?.send(request(path, &chunk)).await;
    let response = response.map_err(unreachable)?;
    let status = response.status;
    let wait = wanted_wait(status, &response.headers, SystemTime::now());
    response.discard().await;
    if status.is_success() { Ok(()) } else { Err(UploadError::Refused { status, wait }) }
}

fn request(path: String, chunk: &Chunk) -> ServiceRequest {
    let mut request = ServiceRequest::new(Method::POST, path);
    request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    request.body = chunk.body();
    request
}

/// How long a service that has too much to do wants to be left alone: `Retry-After`, in seconds or as a moment.
fn wanted_wait(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    if ![StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status) {
        return None;
    }
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let until = || httpdate::parse_http_date(text).ok()?.duration_since(now).ok();
    let wait = text.parse().map(Duration::from_secs).ok().or_else(until)?;
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_with_too_much_to_do_may_ask_for_a_wait() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").expect("a moment");
        let table = [
            (429, "7", Some(7)),
            (503, " 120 ", Some(120)),
            (503, "Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            (503, "Sun, 06 Nov 1994 08:00:00 GMT", None),
            (429, "99999999999", Some(3600)),
            (429, "soon", None),
            (429, "-1", None),
            (500, "7", None),
        ];
        for (status, text, seconds) in table {
            let headers = [(header::RETRY_AFTER, HeaderValue::from_static(text))].into_iter().collect();
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(wanted_wait(status, &headers, now), seconds.map(Duration::from_secs), "{status} {text}");
        }
        assert_eq!(wanted_wait(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), now), None);
    }
}
