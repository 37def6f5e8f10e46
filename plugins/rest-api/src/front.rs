//! Where hyper's requests become calls.
//!
//! Each call is answered by a task of its own. hyper goes on watching the connection meanwhile, and drops its end when
//! the client has gone: that ends the task, and the evaluation that it may be in.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{Request, Response as HttpResponse};
use hyper::body::Incoming;
use regent_core::engine::Cancel;
use tokio::task::AbortHandle;

use crate::body::Payload;
use crate::call::{Answers, Call};
use crate::pace::{Handed, Pace};
use crate::panics;
use crate::peer::Peer;
use crate::route::{self, Route};

/// What the connections of one agent have in common.
pub(crate) struct Front<S> {
    next: S,
    counter: Arc<AtomicU64>,
    cancel: Cancel,
}

impl<S> Front<S> {
    /// Calls go to `next`, until `cancel` ends all that they evaluate.
    pub(crate) fn new(next: S, cancel: Cancel) -> Self {
        Self { next, counter: Arc::default(), cancel }
    }
}

/// Answers the requests of one connection.
pub(crate) struct Connection<S> {
    next: S,
    counter: Arc<AtomicU64>,
    cancel: Cancel,
    client: Arc<str>,
    peer: Option<Arc<Peer>>,
    diagnostic: bool,
    is_encrypted: bool,
    pace: Pace,
}

impl<S: Clone> Front<S> {
    /// For a connection of that client; on a diagnostic listener with few routes.
    pub(crate) fn connection(&self, client: Arc<str>, peer: Option<Arc<Peer>>, diagnostic: bool) -> Connection<S> {
        let Self { next, counter, cancel } = self;
        Connection {
            next: next.clone(),
            counter: counter.clone(),
            cancel: cancel.clone(),
            client,
            peer,
            diagnostic,
            is_encrypted: false,
            pace: Pace::default(),
        }
    }
}

impl<S> Connection<S> {
    /// The same connection through TLS.
    pub(crate) fn encrypted(self) -> Self {
        Self { is_encrypted: true, ..self }
    }

    /// Tells what goes on on it.
    pub(crate) fn pace(&self) -> Pace {
        self.pace.clone()
    }
}

impl<S: Answers + Clone> hyper::service::Service<Request<Incoming>> for Connection<S> {
    type Response = HttpResponse<Handed>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let version = request.version();
        let busy = self.pace.begin(version);
        let (head, body) = request.into_parts();
        let (found, below) = route::find(head.uri.path());
        let hidden = self.diagnostic && !found.is_diagnostic();
        let cancel = self.cancel.child();
        let id = self.counter.fetch_add(1, Ordering::Relaxed) + 1;
        let call = Call {
            cancel: cancel.clone(),
            span: None,
            id,
            client: self.client.clone(),
            is_encrypted: self.is_encrypted,
            peer: self.peer.clone(),
            identity: None,
            route: if hidden { Route::Unknown } else { found },
            below,
            head,
            body: Payload::Unread(body),
            document: None,
        };
        let answering = tokio::spawn(self.next.clone().call(call));
        let abandoned = Abandoned { cancel, task: answering.abort_handle() };
        Box::pin(async move {
            let answered = answering.await;
            drop(abandoned);
            // Only the end of the runtime cancels the task, and then nobody waits for this.
            let Ok(answer) = answered.unwrap_or_else(|_| Ok(panics::answer(id, found)));
            Ok(answer.map(|body| busy.hand_over(version, body)))
        })
    }
}

/// Ends a call when dropped; one that has been answered does not mind.
struct Abandoned {
    cancel: Cancel,
    task: AbortHandle,
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.cancel.cancel();
        self.task.abort();
    }
}
