//! Compresses answers for clients that can read them.

use std::io::Write as _;

use bytes::Bytes;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue, VARY};
use http::{HeaderMap, Response as HttpResponse};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};

use crate::answer::Response;
use crate::call::Call;
use crate::config::Compression;

/// Compresses what is large enough, on the routes where OPA does.
pub(super) struct Compress {
    pub(super) how: Compression,
}

impl Compress {
    /// The answer as the client gets it.
    pub(super) async fn answer(&self, call: &Call, mut response: Response) -> Response {
        if !call.route.compresses(&call.head.method) {
            return response;
        }
        response.headers_mut().append(VARY, HeaderValue::from_static("Accept-Encoding"));
        let length = response.body().size_hint().exact().unwrap_or_default();
        let is_wanted = length >= self.how.from as u64 && accepts_gzip(&call.head.headers);
        if is_wanted { self.compressed(response).await } else { response }
    }

    async fn compressed(&self, response: Response) -> Response {
        let (mut head, body) = response.into_parts();
        let Ok(plain) = body.collect().await;
        let packed = self.pack(&plain.to_bytes());
        head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        HttpResponse::from_parts(head, Full::new(packed))
    }

    fn pack(&self, plain: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), self.how.level);
        let written = encoder.write_all(plain).and_then(|()| encoder.finish());
        written.expect("writing to memory cannot fail").into()
    }
}

/// Whether gzip is named. A weight does not matter, not even 0; case does.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    codings
        .flat_map(|value| value.split(','))
        .any(|coding| coding.split(';').next().unwrap_or_default().trim() == "gzip")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_counts_by_name_alone() {
        let accepted = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            accepts_gzip(&headers)
        };
        assert!(accepted("gzip") && accepted("deflate, gzip;q=0.5, br") && accepted("gzip;q=0"));
        assert!(!accepted("GZIP") && !accepted("*") && !accepted("br"));
    }
}
