//! A request on its way through the layers.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use regent_core::Value;
use regent_core::engine::{Attended, Cancel};
use regent_core::trace::Span;

use crate::acks::PendingAcks;
use crate::body::{self, Payload};
use crate::error::ApiError;
use crate::limits::Limits;
use crate::params::Params;
use crate::peer::Peer;
use crate::route::Route;

/// A client as its connection shows it.
pub(crate) struct Client {
    /// Its `host:port`, or `@` on a socket file.
    pub(crate) name: Box<str>,
    /// What its certificates say, if it had to show any.
    pub(crate) peer: Option<Peer>,
    /// Whether it has come through TLS.
    pub(crate) is_encrypted: bool,
    /// Whether it has come where few routes are served.
    pub(crate) diagnostic: bool,
    /// Whether it is still there.
    pub(crate) line: Box<dyn Attended>,
}

impl Attended for Client {
    fn is_abandoned(&self) -> bool {
        self.line.is_abandoned()
    }
}

impl fmt::Display for Client {
    /// Its name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A request with its number and route.
pub(crate) struct Call {
    /// Given when nobody waits for the answer any more.
    pub(crate) cancel: Cancel,
    /// The request among those of its trace, if there are traces.
    pub(crate) span: Option<Span>,
    /// When it came.
    pub(crate) since: Instant,
    /// Counts the requests of this agent from 1.
    pub(crate) id: u64,
    /// Where it comes from.
    pub(crate) client: Arc<Client>,
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
    /// What has to be done before the answer goes out.
    pub(crate) acks: PendingAcks,
}

impl Call {
    /// What the path holds below the route, escaped.
    pub(crate) fn below(&self) -> &str {
        &self.head.uri.path()[self.below..]
    }

    /// The call without its body, for work that outlives it.
    pub(crate) fn without_body(&self) -> Self {
        Self {
            cancel: self.cancel.clone(),
            span: self.span.clone(),
            since: self.since,
            id: self.id,
            client: self.client.clone(),
            identity: self.identity.clone(),
            route: self.route,
            below: self.below,
            head: self.head.clone(),
            body: Payload::Read(Bytes::new()),
            document: None,
            acks: self.acks.share(),
        }
    }

    /// The body as it was sent. A second call gives the same bytes, or refuses them again: what is left of a body must
    /// not pass for the whole.
    pub(crate) async fn sent_body(&mut self, limits: Limits) -> Result<&Bytes, ApiError> {
        if let Payload::Unread(incoming) = &mut self.body {
            self.body = match body::read(incoming, limits).await {
                Ok(bytes) => Payload::Read(bytes),
                Err(why) => Payload::Refused(why),
            };
        }
        match &self.body {
            Payload::Read(bytes) => Ok(bytes),
            Payload::Refused(why) => Err(why.clone()),
            Payload::Unread(_) => unreachable!("it has just been read"),
        }
    }

    /// The body, unpacked if it says that it is compressed.
    pub(crate) async fn unpacked_body(&mut self, limits: Limits) -> Result<Cow<'_, [u8]>, ApiError> {
        let refused = |why: String| ApiError::invalid_parameter(format!("could not decompress the body: {why}"));
        self.plain_body(limits).await?.map_err(refused)
    }

    /// As [`Self::unpacked_body`], with the bare reason why it cannot be unpacked.
    pub(crate) async fn plain_body(&mut self, limits: Limits) -> Result<Result<Cow<'_, [u8]>, String>, ApiError> {
        let packed = body::is_packed(&self.head.headers);
        let sent = self.sent_body(limits).await?;
        Ok(if packed { body::unpack(sent, limits.unpacked).map(Cow::Owned) } else { Ok(Cow::Borrowed(&sent[..])) })
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
