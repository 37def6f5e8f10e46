//! Calls with a deadline. The thread of a call cannot be ended: one that is late is given up, and counted until it returns.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use regent_core::engine::Cancel;
use regent_core::status::State;
use tokio::sync::oneshot;

use crate::answer::Failure;
use crate::host::Attached;
use crate::threads::Threads;

/// How often it is asked whether somebody still waits.
const ASK_INTERVAL: Duration = Duration::from_millis(20);

/// It waits for a thread.
const QUEUED: u8 = 0;
/// A thread is at it.
const RUNNING: u8 = 1;
/// It has returned.
const RETURNED: u8 = 2;
/// It was given up while a thread was at it, and is counted as late until it returns.
const LATE: u8 = 3;
/// Nobody waits for it any more.
const ABANDONED: u8 = 4;

/// How far a call has come, for its thread and for who waits for it.
#[derive(Clone)]
struct Ticket(Arc<AtomicU8>);

impl Ticket {
    fn step(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// The calls of one instance.
#[derive(Clone)]
pub(crate) struct Calls {
    threads: Threads,
    deadline: Duration,
    /// Threads that are taken by calls which were given up.
    late: Arc<AtomicUsize>,
    /// Whether the instance is at its end: it takes no more calls, and those that return late say nothing of its successor.
    closed: Arc<AtomicBool>,
    attached: Attached,
}

type Reply = Result<Vec<u8>, Failure>;

impl Calls {
    /// No calls yet. States go to whom `attached` tells of.
    pub(crate) fn new(threads: Threads, deadline: Duration, attached: Attached) -> Self {
        Self { threads, deadline, late: Arc::default(), closed: Arc::default(), attached }
    }

    /// How long a call may take.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Takes no more calls, and reports nothing more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Makes a call, and waits for its answer.
    pub(crate) async fn ask(&self, deadline: Duration, call: impl FnOnce() -> Reply + Send + 'static) -> Reply {
        let (done, reply) = oneshot::channel();
        let ticket = Given(self.begin(call, |reply| drop(done.send(reply)))?);
        match tokio::time::timeout(deadline, reply).await {
            Ok(reply) => reply.unwrap_or(Err(Failure::Panicked)),
            Err(_) => Err(self.give_up(&ticket.0, deadline)),
        }
    }

    /// The same on a thread that may block, for as long as somebody waits.
    pub(crate) fn ask_blocking(&self, cancel: &Cancel, call: impl FnOnce() -> Reply + Send + 'static) -> Reply {
        let (done, reply) = mpsc::sync_channel(1);
        let ticket = Given(self.begin(call, move |reply| drop(done.send(reply)))?);
        let end = Instant::now() + self.deadline;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match reply.recv_timeout(left.min(ASK_INTERVAL)) {
                Ok(reply) => return reply,
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(Failure::Panicked),
                Err(mpsc::RecvTimeoutError::Timeout) if left.is_zero() => {
                    return Err(self.give_up(&ticket.0, self.deadline));
                }
                Err(mpsc::RecvTimeoutError::Timeout) if cancel.is_cancelled() => return Err(Failure::Abandoned),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn begin(
        &self,
        call: impl FnOnce() -> Reply + Send + 'static,
        done: impl FnOnce(Reply) + Send + 'static,
    ) -> Result<Ticket, Failure> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Failure::Ended);
        }
        let late = self.late.load(Ordering::Acquire);
        if late >= self.threads.most() {
            return Err(Failure::Stuck(late));
        }
        let ticket = Ticket(Arc::new(AtomicU8::new(QUEUED)));
        let (calls, mine) = (self.clone(), ticket.clone());
        let job = move || {
            if !mine.step(QUEUED, RUNNING) {
                return;
            }
            done(call());
            if mine.0.swap(RETURNED, Ordering::AcqRel) == LATE {
                calls.returned();
            }
        };
        let no_thread = |error: std::io::Error| Failure::Said(regent_plugin_abi::UNAVAILABLE, error.to_string());
        self.threads.run(job).map_err(no_thread)?;
        Ok(ticket)
    }

    /// Gives a call up whose time is over.
    fn give_up(&self, ticket: &Ticket, deadline: Duration) -> Failure {
        let failure = Failure::Late(deadline);
        // Counted first: who returns at this moment takes itself off again.
        self.late.fetch_add(1, Ordering::AcqRel);
        if ticket.step(RUNNING, LATE) {
            self.report(State::Error, &format!("a call {failure}"));
        } else {
            self.late.fetch_sub(1, Ordering::AcqRel);
        }
        failure
    }

    /// A call that was late has returned.
    fn returned(&self) {
        if self.late.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.report(State::Ok, "");
        }
    }

    fn report(&self, state: State, message: &str) {
        if !self.closed.load(Ordering::Acquire) {
            self.attached.report(state, message);
        }
    }
}

/// Takes a call back that has not begun, once nobody waits for it.
struct Given(Ticket);

impl Drop for Given {
    fn drop(&mut self) {
        self.0.step(QUEUED, ABANDONED);
    }
}
