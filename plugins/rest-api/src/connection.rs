//! Where hyper's requests become calls.
//!
//! On HTTP/1 a call is answered by the task that carries its connection, since another task would cost as much as a small
//! decision does. While the call waits, hyper watches the connection and drops the call when the client has gone. While
//! it evaluates, nobody watches; an evaluation that takes long asks the client's [`Attended`] itself, now and then. On
//! HTTP/2, where only hyper knows whether anyone waits for one of many answers, every call is a task of its own.
//!
//! [`Attended`]: regent_core::engine::Attended

use std::convert::Infallible;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::{Request, Response as HttpResponse, Version};
use hyper::body::Incoming;
use regent_core::engine::Cancel;
use tokio::task::JoinSet;

use crate::acks::PendingAcks;
use crate::activity::{Activity, AnswerBody};
use crate::answer::Response;
use crate::body::Payload;
use crate::call::{Call, Client};
use crate::layers::Stack;
use crate::panics;
use crate::route::{self, Route};

/// What the connections of one agent have in common.
pub(crate) struct Connections {
    stack: Arc<Stack>,
    counter: Arc<AtomicU64>,
    cancel: Cancel,
}

impl Connections {
    /// Calls go to `stack`, until `cancel` ends all that they evaluate.
    pub(crate) fn new(stack: Stack, cancel: Cancel) -> Self {
        Self { stack: Arc::new(stack), counter: Arc::default(), cancel }
    }

    /// For a connection of that client, on which `activity` tells what goes on.
    pub(crate) fn connection(&self, client: Client, activity: Activity) -> Arc<Connection> {
        let (stack, counter) = (self.stack.clone(), self.counter.clone());
        // Signals of its own: what all requests of all connections count their references to, threads fight for.
        let client = Arc::new(client);
        let cancel = self.cancel.child();
        let by_turns = cancel.attended(client.clone());
        Arc::new(Connection { stack, counter, cancel, by_turns, client, activity })
    }
}

/// Answers the requests of one connection.
pub(crate) struct Connection {
    stack: Arc<Stack>,
    counter: Arc<AtomicU64>,
    /// Ends what requests at the same time evaluate, each under a signal of its own.
    cancel: Cancel,
    /// Ends what requests evaluate that come one after the other; it is given when the connection is lost.
    by_turns: Cancel,
    client: Arc<Client>,
    activity: Activity,
}

impl Connection {
    /// The answer to a request.
    pub(crate) fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<HttpResponse<AnswerBody>, Infallible>> {
        let version = request.version();
        // Made before the future is: a request in it beside the call would have to be moved about for nothing.
        let mut call = self.call(request);
        async move {
            let busy = self.activity.begin(version);
            let answer = if version == Version::HTTP_2 {
                apart(self.stack.clone(), call).await
            } else {
                let unanswered = Unanswered(&self.by_turns);
                let answer = answer(&self.stack, &mut call).await;
                mem::forget(unanswered);
                answer
            };
            Ok(answer.map(|body| busy.hand_over(body)))
        }
    }

    fn call(&self, request: Request<Incoming>) -> Call {
        let (head, body) = request.into_parts();
        let (found, below) = route::find(head.uri.path());
        let hidden = self.client.diagnostic && !found.is_diagnostic();
        let cancel = if head.version == Version::HTTP_2 {
            self.cancel.child()
        } else {
            self.by_turns.begin();
            self.by_turns.clone()
        };
        Call {
            cancel,
            span: None,
            since: Instant::now(),
            id: self.counter.fetch_add(1, Ordering::Relaxed) + 1,
            client: self.client.clone(),
            identity: None,
            route: if hidden { Route::Unknown } else { found },
            below,
            head,
            body: Payload::Unread(body),
            document: None,
            acks: PendingAcks::default(),
        }
    }
}

async fn answer(stack: &Stack, call: &mut Call) -> Response {
    let (id, route) = (call.id, call.route);
    panics::caught(stack.answer(call)).await.unwrap_or_else(|| panics::answer(id, route))
}

/// Answers in a task of its own.
async fn apart(stack: Arc<Stack>, mut call: Call) -> Response {
    let (id, route) = (call.id, call.route);
    let cancel = call.cancel.clone();
    let unanswered = Unanswered(&cancel);
    let mut task = JoinSet::new();
    task.spawn(async move { answer(&stack, &mut call).await });
    // Only the end of the runtime cancels the task, and then nobody waits for this.
    let answer = task.join_next().await.and_then(Result::ok).unwrap_or_else(|| panics::answer(id, route));
    mem::forget(unanswered);
    answer
}

/// Ends the evaluation of a call when it is dropped, which the call's future is when its client has gone.
struct Unanswered<'a>(&'a Cancel);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
