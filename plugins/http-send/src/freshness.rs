//! How long a response is good for: `Cache-Control`, `Expires` and `Date`, read as OPA reads them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, StatusCode, header};

/// Nanoseconds since 1970.
pub(crate) type Instant = i64;

/// Nothing before it: a response that may be asked about, but not used unasked.
const LONG_AGO: Instant = i64::MIN;

/// Seconds that no `max-age` exceeds.
const LONGEST: u64 = i32::MAX as u64;

/// Whether responses of that status are kept.
pub(crate) fn is_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 206 | 300 | 301 | 404 | 405 | 410 | 414 | 501)
}

/// Whether the response lets itself be kept.
pub(crate) fn may_be_stored(headers: &HeaderMap) -> bool {
    directive(headers, "no-store").is_none()
}

/// Until when the response is good; nothing if it does not say so in a way that can be read.
pub(crate) fn expiry(headers: &HeaderMap) -> Option<Instant> {
    let Some(max_age) = directive(headers, "max-age") else {
        return Some(time(headers, header::EXPIRES).unwrap_or(LONG_AGO));
    };
    let digits = !max_age.is_empty() && max_age.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than fit are a long time.
    let seconds = digits.then(|| max_age.parse().unwrap_or(LONGEST).min(LONGEST))?;
    Some(after(time(headers, header::DATE)?, Duration::from_secs(seconds)))
}

/// A time that much later.
pub(crate) fn after(start: Instant, period: Duration) -> Instant {
    start.saturating_add(i64::try_from(period.as_nanos()).unwrap_or(i64::MAX))
}

/// Headers with which to ask whether a kept response is still good; none if it cannot be asked about.
pub(crate) fn validators(headers: &HeaderMap) -> HeaderMap {
    let pairs = [(header::ETAG, header::IF_NONE_MATCH), (header::LAST_MODIFIED, header::IF_MODIFIED_SINCE)];
    let given = |name: HeaderName| headers.get(name).filter(|value| !value.is_empty()).cloned();
    pairs.into_iter().filter_map(|(name, asks)| Some((asks, given(name)?))).collect()
}

/// The value of a directive in the first `Cache-Control` header; empty if it has none.
fn directive(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(header::CACHE_CONTROL)?.to_str().ok()?;
    let parts = text.split(',').map(|part| part.trim_matches(' '));
    let mut found = parts.filter_map(|part| match part.split_once('=') {
        None => Some((part, "")),
        Some((_, value)) if value.contains('=') => None,
        Some((key, value)) => Some((key.trim_matches(' '), value)),
    });
    // Of several the last one counts.
    found.rfind(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

fn time(headers: &HeaderMap, name: HeaderName) -> Option<Instant> {
    let time = httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()?;
    Some(nanoseconds(time))
}

fn nanoseconds(time: SystemTime) -> Instant {
    after(0, time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Thu, 01 Jan 1970 00:01:00 GMT";
    const SECOND: i64 = 1_000_000_000;

    fn headers(entries: &[(HeaderName, &'static str)]) -> HeaderMap {
        entries.iter().map(|(name, value)| (name.clone(), http::HeaderValue::from_static(value))).collect()
    }

    fn lasts(cache_control: &'static str) -> Option<Instant> {
        expiry(&headers(&[(header::CACHE_CONTROL, cache_control), (header::DATE, DATE)]))
    }

    #[test]
    fn max_age_counts_from_the_date() {
        assert_eq!(lasts("max-age=30, public"), Some(90 * SECOND));
        assert_eq!(lasts("public,  max-age =30"), Some(90 * SECOND));
        assert_eq!(lasts("max-age=0"), Some(60 * SECOND));
        assert_eq!(lasts("max-age=99999999999999999999"), Some((60 + i64::from(i32::MAX)) * SECOND));
        for unreadable in ["max-age=", "max-age=-1", "max-age=\"5\"", "max-age=x"] {
            assert_eq!(lasts(unreadable), None, "{unreadable}");
        }
        assert_eq!(lasts("max-age=1=2"), Some(LONG_AGO));
        assert_eq!(expiry(&headers(&[(header::CACHE_CONTROL, "max-age=30")])), None, "without a date");
    }

    #[test]
    fn otherwise_expires_counts() {
        assert_eq!(expiry(&headers(&[(header::EXPIRES, DATE)])), Some(60 * SECOND));
        assert_eq!(expiry(&headers(&[(header::EXPIRES, "Thursday, 01-Jan-70 00:01:00 GMT")])), Some(60 * SECOND));
        assert_eq!(expiry(&headers(&[(header::EXPIRES, "0")])), Some(LONG_AGO));
        assert_eq!(expiry(&HeaderMap::new()), Some(LONG_AGO));
    }

    #[test]
    fn what_must_not_be_stored_is_not() {
        assert!(!may_be_stored(&headers(&[(header::CACHE_CONTROL, "private, no-store")])));
        assert!(may_be_stored(&headers(&[(header::CACHE_CONTROL, "no-cache")])) && may_be_stored(&HeaderMap::new()));
        assert!(is_cacheable(StatusCode::NOT_FOUND) && !is_cacheable(StatusCode::CREATED));
    }

    #[test]
    fn a_response_is_asked_about_by_tag_and_date() {
        let asks = validators(&headers(&[(header::ETAG, "\"a\""), (header::LAST_MODIFIED, DATE)]));
        assert_eq!(
            (&asks[header::IF_NONE_MATCH], &asks[header::IF_MODIFIED_SINCE]),
            (&"\"a\"".parse().expect("fit"), &DATE.parse().expect("fit"))
        );
        assert!(validators(&HeaderMap::new()).is_empty());
    }
}
