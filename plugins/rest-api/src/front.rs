//! Where hyper's requests become calls.
//!
//! On HTTP/1 a call is answered by the task that carries its connection, since another task would cost as much as a small
//! decision does. While the call waits, hyper watches the connection and drops the call when the client has gone. While
//! it evaluates, nobody watches; an evaluation that takes long asks the connection's [`Line`] itself, now and then. On
//! HTTP/2, where only hyper knows whether anyone waits for one of many answers, every call is a task of its own.
//!
//! [`Line`]: Attended

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{Request, Response as HttpResponse, Version};
use hyper::body::Incoming;
use regent_core::engine::{Attended, Cancel};
use tokio::task::JoinSet;

use crate::answer::Response;
use crate::body::Payload;
use crate::call::{Answers, Call};
use crate::pace::{Handed, Pace};
use crate::panics;
use crate::peer::Peer;
use crate::route::{self, Route};

/// What the connections of one agent have in common.
pub(crate) struct Front<S> {
    stack: Arc<S>,
    counter: Arc<AtomicU64>,
    cancel: Cancel,
}

/// A client as its connection shows it.
pub(crate) struct Client {
    /// Its `host:port`, or `@` on a socket file.
    pub(crate) name: Arc<str>,
    /// What its certificates say, if it had to show any.
    pub(crate) peer: Option<Arc<Peer>>,
    /// Whether it has come through TLS.
    pub(crate) is_encrypted: bool,
    /// Whether it has come where few routes are served.
    pub(crate) diagnostic: bool,
    /// Whether it is still there.
    pub(crate) line: Arc<dyn Attended>,
}

impl<S> Front<S> {
    /// Calls go to `stack`, until `cancel` ends all that they evaluate.
    pub(crate) fn new(stack: S, cancel: Cancel) -> Self {
        Self { stack: Arc::new(stack), counter: Arc::default(), cancel }
    }

    /// For a connection of that client.
    pub(crate) fn connection(&self, client: Client) -> Connection<S> {
        let Self { stack, counter, cancel } = self;
        let (stack, counter, cancel) = (stack.clone(), counter.clone(), cancel.clone());
        Connection { stack, counter, cancel, client, pace: Pace::default() }
    }
}

/// Answers the requests of one connection.
pub(crate) struct Connection<S> {
    stack: Arc<S>,
    counter: Arc<AtomicU64>,
    cancel: Cancel,
    client: Client,
    pace: Pace,
}

impl<S> Connection<S> {
    /// Tells what goes on on it.
    pub(crate) fn pace(&self) -> Pace {
        self.pace.clone()
    }

    fn call(&self, request: Request<Incoming>) -> Call {
        let (head, body) = request.into_parts();
        let (found, below) = route::find(head.uri.path());
        let hidden = self.client.diagnostic && !found.is_diagnostic();
        let by_turns = head.version != Version::HTTP_2;
        Call {
            cancel: if by_turns { self.cancel.attended(self.client.line.clone()) } else { self.cancel.child() },
            span: None,
            id: self.counter.fetch_add(1, Ordering::Relaxed) + 1,
            client: self.client.name.clone(),
            is_encrypted: self.client.is_encrypted,
            peer: self.client.peer.clone(),
            identity: None,
            route: if hidden { Route::Unknown } else { found },
            below,
            head,
            body: Payload::Unread(body),
            document: None,
        }
    }
}

impl<S: Answers> hyper::service::Service<Request<Incoming>> for Connection<S> {
    type Response = HttpResponse<Handed>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let version = request.version();
        let busy = self.pace.begin(version);
        let (stack, call) = (self.stack.clone(), self.call(request));
        let abandoned = Abandoned(call.cancel.clone());
        if version == Version::HTTP_2 {
            let (id, route) = (call.id, call.route);
            let mut task = JoinSet::new();
            task.spawn(answer(stack, call));
            Box::pin(async move {
                let answered = task.join_next().await;
                drop(abandoned);
                // Only the end of the runtime cancels the task, and then nobody waits for this.
                let answer = answered.and_then(Result::ok).unwrap_or_else(|| panics::answer(id, route));
                Ok(answer.map(|body| busy.hand_over(version, body)))
            })
        } else {
            Box::pin(async move {
                let answer = answer(stack, call).await;
                drop(abandoned);
                Ok(answer.map(|body| busy.hand_over(version, body)))
            })
        }
    }
}

async fn answer<S: Answers>(stack: Arc<S>, mut call: Call) -> Response {
    let (id, route) = (call.id, call.route);
    panics::caught(stack.answer(&mut call)).await.unwrap_or_else(|| panics::answer(id, route))
}

/// Ends the evaluation of a call when dropped; one that has been answered does not mind.
struct Abandoned(Cancel);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
