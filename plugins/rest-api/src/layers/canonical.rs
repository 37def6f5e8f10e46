//! One URL for each thing: sends clients there, and answers what no route has to know.

use http::header::{HeaderValue, LOCATION};
use http::{Method, StatusCode};

use crate::answer::{self, Response};
use crate::body::announced;
use crate::call::Call;
use crate::limits::Limits;
use crate::route::{Detour, detour};

/// Redirects, refuses broken paths, HEAD and bodies that are known to be too large.
pub(super) struct Canonical {
    pub(super) limits: Limits,
}

impl Canonical {
    /// The answer to a call that has no business with the API.
    pub(super) fn detour(&self, call: &Call) -> Option<Response> {
        if let Err(refused) = announced(&call.body, self.limits) {
            return Some(refused.into_response());
        }
        Some(match detour(&call.head.method, &call.head.uri, call.route)? {
            Detour::Broken => answer::text(StatusCode::BAD_REQUEST, "400 Bad Request"),
            Detour::Head => answer::empty(StatusCode::METHOD_NOT_ALLOWED),
            Detour::Moved(location) => redirect(StatusCode::MOVED_PERMANENTLY, &call.head.method, &location),
            Detour::Cleaned(location) => redirect(StatusCode::TEMPORARY_REDIRECT, &call.head.method, &location),
        })
    }
}

fn redirect(status: StatusCode, method: &Method, location: &str) -> Response {
    let mut response = if method == Method::GET {
        let link = location.replace('&', "&amp;").replace('"', "&#34;").replace('<', "&lt;").replace('>', "&gt;");
        let reason = status.canonical_reason().unwrap_or_default();
        let page = format!("<a href=\"{link}\">{reason}</a>.\n\n");
        answer::typed(status, "text/html; charset=utf-8", page)
    } else {
        answer::empty(status)
    };
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
