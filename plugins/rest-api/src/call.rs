//! A request on its way through the layers.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use http::request::Parts;
use regent_core::Value;
use regent_core::engine::Cancel;
use regent_core::trace::Span;

use crate::answer::Response;
use crate::body::Payload;
use crate::params::Params;
use crate::peer::Peer;
use crate::route::Route;

/// A request with its number and route.
pub(crate) struct Call {
    /// Given when nobody waits for the answer any more.
    pub(crate) cancel: Cancel,
    /// The request among those of its trace, if there are traces.
    pub(crate) span: Option<Span>,
    /// Counts the requests of this agent from 1.
    pub(crate) id: u64,
    /// The client's `host:port`, or `@` on a socket file.
    pub(crate) client: Arc<str>,
    /// Whether it came through TLS.
    pub(crate) is_encrypted: bool,
    /// The client as its certificates show it, if it had to show any.
    pub(crate) peer: Option<Arc<Peer>>,
    /// Who the client is, if it has proved that.
    pub(crate) identity: Option<String>,
    /// The part of the API that it belongs to.
    pub(crate) route: Route,
    /// Where in the path begins what lies below the route.
    pub(crate) below: usize,
    /// Method, URL, headers.
    pub(crate) head: Parts,
    /// The body, read or unread.
    pub(crate) body: Payload,
    /// The document in the body, once somebody has been authorized by it.
    pub(crate) document: Option<Value>,
}

impl Call {
    /// What the path holds below the route, escaped.
    pub(crate) fn below(&self) -> &str {
        &self.head.uri.path()[self.below..]
    }

    /// The query parameters.
    pub(crate) fn params(&self) -> Params<'_> {
        Params::of(&self.head.uri)
    }

    /// Whether the answer should be indented.
    pub(crate) fn is_pretty(&self) -> bool {
        self.params().flag("pretty")
    }

    /// Whether the body claims to be YAML.
    pub(crate) fn is_yaml(&self) -> bool {
        let media_type = self.head.headers.get(http::header::CONTENT_TYPE);
        media_type.is_some_and(|value| value.as_bytes().windows(4).any(|part| part == b"yaml"))
    }
}

/// An answer in the making. Layers answer every call, so there is no error.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Something that answers calls: the API itself or a layer around it.
pub(crate) trait Answers:
    tower::Service<Call, Response = Response, Error = Infallible, Future = Answering>
{
}

impl<S> Answers for S where S: tower::Service<Call, Response = Response, Error = Infallible, Future = Answering> {}
