//! Where hyper's requests become calls.
//!
//! On HTTP/1 a call is answered by the task that carries its connection, since another task would cost as much as a small
//! decision does. While the call waits, hyper watches the connection and drops the call when the client has gone. While
//! it evaluates, nobody watches; an evaluation that takes long asks the connection's [`Line`] itself, now and then. On
//! HTTP/2, where only hyper knows whether anyone waits for one of many answers, every call is a task of its own.
//!
//! [`Line`]: Attended

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::{Request, Response as HttpResponse, Version};
use hyper::body::Incoming;
use regent_core::engine::{Attended, Cancel};
use tokio::task::JoinSet;

use crate::answer::Response;
use crate::body::Payload;
use crate::call::{Answers, Call, Client};
use crate::pace::{Handed, Pace};
use crate::panics;
use crate::promises::Promises;
use crate::route::{self, Route};

/// What the connections of one agent have in common.
pub(crate) struct Front<S> {
    stack: Arc<S>,
    counter: Arc<AtomicU64>,
    cancel: Cancel,
}

impl<S> Front<S> {
    /// Calls go to `stack`, until `cancel` ends all that they evaluate.
    pub(crate) fn new(stack: S, cancel: Cancel) -> Self {
        Self { stack: Arc::new(stack), counter: Arc::default(), cancel }
    }

    /// For a connection of that client.
    pub(crate) fn connection(&self, client: Client) -> Arc<Connection<S>> {
        let (stack, counter) = (self.stack.clone(), self.counter.clone());
        // A signal of its own: what all requests of all connections count their references to, threads fight for.
        let cancel = self.cancel.child();
        Arc::new(Connection { stack, counter, cancel, client: Arc::new(client), pace: Pace::default() })
    }
}

/// Answers the requests of one connection.
pub(crate) struct Connection<S> {
    stack: Arc<S>,
    counter: Arc<AtomicU64>,
    cancel: Cancel,
    client: Arc<Client>,
    pace: Pace,
}

impl<S: Answers> Connection<S> {
    /// Tells what goes on on it.
    pub(crate) fn pace(&self) -> Pace {
        self.pace.clone()
    }

    /// The answer to a request.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<HttpResponse<Handed>, Infallible> {
        let version = request.version();
        let busy = self.pace.begin(version);
        let mut call = self.call(request);
        let abandoned = Abandoned(call.cancel.clone());
        let answer = if version == Version::HTTP_2 {
            apart(self.stack.clone(), call).await
        } else {
            answer(&*self.stack, &mut call).await
        };
        drop(abandoned);
        Ok(answer.map(|body| busy.hand_over(version, body)))
    }

    fn call(&self, request: Request<Incoming>) -> Call {
        let (head, body) = request.into_parts();
        let (found, below) = route::find(head.uri.path());
        let hidden = self.client.diagnostic && !found.is_diagnostic();
        let by_turns = head.version != Version::HTTP_2;
        let line = || self.client.clone() as Arc<dyn Attended>;
        let since = Instant::now();
        Call {
            cancel: if by_turns { self.cancel.attended(line(), since) } else { self.cancel.child() },
            span: None,
            since,
            id: self.counter.fetch_add(1, Ordering::Relaxed) + 1,
            client: self.client.clone(),
            identity: None,
            route: if hidden { Route::Unknown } else { found },
            below,
            head,
            body: Payload::Unread(body),
            document: None,
            promises: Promises::default(),
        }
    }
}

async fn answer<S: Answers>(stack: &S, call: &mut Call) -> Response {
    let (id, route) = (call.id, call.route);
    panics::caught(stack.answer(call)).await.unwrap_or_else(|| panics::answer(id, route))
}

/// Answers in a task of its own.
async fn apart<S: Answers>(stack: Arc<S>, mut call: Call) -> Response {
    let (id, route) = (call.id, call.route);
    let mut task = JoinSet::new();
    task.spawn(async move { answer(&*stack, &mut call).await });
    // Only the end of the runtime cancels the task, and then nobody waits for this.
    task.join_next().await.and_then(Result::ok).unwrap_or_else(|| panics::answer(id, route))
}

/// Ends the evaluation of a call when dropped; one that has been answered does not mind.
struct Abandoned(Cancel);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
