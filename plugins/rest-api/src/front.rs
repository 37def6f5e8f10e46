//! Where hyper's requests become calls.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Request;
use hyper::body::Incoming;

use crate::answer::Response;
use crate::body::Payload;
use crate::call::{Answering, Answers, Call};
use crate::route::{self, Route};

/// What the connections of one agent have in common.
pub(crate) struct Front<S> {
    next: S,
    counter: Arc<AtomicU64>,
}

impl<S> Front<S> {
    pub(crate) fn new(next: S) -> Self {
        Self { next, counter: Arc::default() }
    }
}

/// Answers the requests of one connection.
pub(crate) struct Connection<S> {
    next: S,
    counter: Arc<AtomicU64>,
    client: Arc<str>,
    diagnostic: bool,
}

impl<S: Clone> Front<S> {
    /// For a connection of that client; on a diagnostic listener with few routes.
    pub(crate) fn connection(&self, client: Arc<str>, diagnostic: bool) -> Connection<S> {
        Connection { next: self.next.clone(), counter: self.counter.clone(), client, diagnostic }
    }
}

impl<S: Answers + Clone> hyper::service::Service<Request<Incoming>> for Connection<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let (head, body) = request.into_parts();
        let (found, below) = route::find(head.uri.path());
        let hidden = self.diagnostic && !found.is_diagnostic();
        let call = Call {
            id: self.counter.fetch_add(1, Ordering::Relaxed) + 1,
            client: self.client.clone(),
            route: if hidden { Route::Unknown } else { found },
            below,
            head,
            body: Payload::Unread(body),
        };
        self.next.clone().call(call)
    }
}
