//! One URL for each thing: sends clients there, and answers what no route has to know.

use http::header::{HeaderValue, LOCATION};
use http::{Method, StatusCode};

use crate::answer::{self, Response};
use crate::body::{Limits, announced};
use crate::call::{Answers, Call};
use crate::route::{Detour, detour};

/// Redirects, refuses broken paths, HEAD and bodies that are known to be too large.
pub(super) struct Canonical<S> {
    pub(super) limits: Limits,
    pub(super) next: S,
}

impl<S: Answers> Answers for Canonical<S> {
    async fn answer(&self, call: &mut Call) -> Response {
        if let Err(refused) = announced(&call.body, self.limits) {
            return refused.into_response();
        }
        match detour(&call.head.method, &call.head.uri, call.route) {
            None => self.next.answer(call).await,
            Some(Detour::Broken) => answer::text(StatusCode::BAD_REQUEST, "400 Bad Request"),
            Some(Detour::Head) => answer::empty(StatusCode::METHOD_NOT_ALLOWED),
            Some(Detour::Moved(location)) => moved(&call.head.method, &location),
        }
    }
}

fn moved(method: &Method, location: &str) -> Response {
    let status = StatusCode::MOVED_PERMANENTLY;
    let mut response = if method == Method::GET {
        let link = location.replace('&', "&amp;").replace('"', "&#34;").replace('<', "&lt;").replace('>', "&gt;");
        let page = format!("<a href=\"{link}\">Moved Permanently</a>.\n\n");
        answer::typed(status, "text/html; charset=utf-8", page)
    } else {
        answer::empty(status)
    };
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
