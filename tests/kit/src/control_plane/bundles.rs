//! A bundle as the server holds it, and conditional requests for it.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

/// The bytes at one path, with or without a tag.
#[derive(Debug)]
pub(super) struct Served {
    bytes: Bytes,
    etag: Option<HeaderValue>,
    /// Whether the server holds requests until there is another bundle.
    pub(super) holds: bool,
}

/// The type that tells that requests are held.
const HOLDING: HeaderValue = HeaderValue::from_static("application/vnd.openpolicyagent.bundles");

impl Served {
    /// The tag depends on the bytes alone and is the same in every process.
    pub(super) fn tagged(bytes: Vec<u8>) -> (Self, String) {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let etag = format!("\"{:016x}\"", hasher.finish());
        let header = HeaderValue::try_from(&etag).expect("hexadecimal digits make a header value");
        (Self { bytes: bytes.into(), etag: Some(header), holds: false }, etag)
    }

    pub(super) fn untagged(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into(), etag: None, holds: false }
    }

    pub(super) fn holding(self) -> Self {
        Self { holds: true, ..self }
    }

    /// The answer to a `GET` with these headers.
    pub(super) fn answer(&self, asked: &HeaderMap) -> Response<Bytes> {
        let mut answer = if self.is_held(asked) {
            let mut answer = Response::default();
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            answer
        } else {
            let mut answer = Response::new(self.bytes.clone());
            let kind = if self.holds { HOLDING } else { HeaderValue::from_static("application/gzip") };
            answer.headers_mut().insert(header::CONTENT_TYPE, kind);
            answer
        };
        if let Some(etag) = &self.etag {
            answer.headers_mut().insert(header::ETAG, etag.clone());
        }
        answer
    }

    /// Does the client hold just this version? Lists and weak tags count, as RFC 9110 wants it for `GET`.
    fn is_held(&self, asked: &HeaderMap) -> bool {
        let Some(etag) = &self.etag else { return false };
        let names_it = |value: &HeaderValue| {
            let mut tags = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            tags.any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == etag.as_bytes())
        };
        asked.get_all(header::IF_NONE_MATCH).iter().any(names_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tag_at_hand_means_not_modified() {
        let (bundle, etag) = Served::tagged(b"bundle".to_vec());
        let status = |asked: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, asked.parse().expect("a header value"));
            bundle.answer(&headers).status()
        };

        for held in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
            assert_eq!(status(&held), 304, "{held}");
        }
        for other in ["\"other\"", "", etag.trim_matches('"')] {
            assert_eq!(status(other), 200, "{other}");
        }
    }
}
