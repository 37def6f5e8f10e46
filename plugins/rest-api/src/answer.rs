//! JSON answers with their fields in OPA's order.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response as HttpResponse, StatusCode};
use http_body_util::Full;
pub(crate) use regent_core::value::Json;

/// An answer whose body is complete.
pub(crate) type Response = HttpResponse<Full<Bytes>>;

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, body: &Json, pretty: bool) -> Response {
    typed(status, "application/json", body.encode(pretty))
}

/// A successful answer of the given fields.
pub(crate) fn fields(fields: Vec<(&'static str, Json)>, pretty: bool) -> Response {
    json(StatusCode::OK, &Json::Object(fields), pretty)
}

/// An answer of plain text.
pub(crate) fn text(status: StatusCode, text: &'static str) -> Response {
    typed(status, "text/plain; charset=utf-8", text)
}

/// An answer of the given media type.
pub(crate) fn typed(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = HttpResponse::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = HttpResponse::new(Full::default());
    *response.status_mut() = status;
    response
}
