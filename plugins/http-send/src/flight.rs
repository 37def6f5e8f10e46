//! Requests under way: they run on threads of their own, and evaluations wait for them.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use regent_core::engine::{Cancel, Linger};
use regent_core::value::Value;
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

use crate::exchange::Response;
use crate::failure::Failure;

/// Threads that talk to the network.
const THREADS: usize = 2;

/// How long a wait goes on before the next look whether anybody still wants the answer.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// What became of a request.
pub(crate) type Outcome = Result<Arc<Response>, Failure>;

/// The threads, started at the first request.
#[derive(Default)]
pub(crate) struct Threads(OnceLock<Option<Owned>>);

/// A runtime that may be dropped anywhere, within another one too.
struct Owned(Option<Runtime>);

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Threads {
    /// Sends a request off.
    pub(crate) fn start(
        &self,
        request: impl Future<Output = Result<Response, Failure>> + Send + 'static,
    ) -> Result<Arc<Flight>, Failure> {
        let runtime = self.0.get_or_init(|| {
            let built =
                Builder::new_multi_thread().worker_threads(THREADS).thread_name("http-send").enable_all().build();
            built
                .inspect_err(|error| tracing::error!(%error, "http.send cannot start threads"))
                .ok()
                .map(|it| Owned(Some(it)))
        });
        let runtime = runtime.as_ref().and_then(|owned| owned.0.as_ref());
        let runtime = runtime.ok_or_else(|| Failure::Plain("cannot start threads".to_owned()))?;
        let slot = Arc::<Slot>::default();
        let landing = Landing(slot.clone());
        let task = runtime.spawn(async move { landing.land(request.await.map(Arc::new)) });
        Ok(Arc::new(Flight { slot, task: task.abort_handle() }))
    }
}

/// A request under way. It is given up when nobody holds it any more.
pub(crate) struct Flight {
    slot: Arc<Slot>,
    task: AbortHandle,
}

#[derive(Default)]
struct Slot {
    outcome: Mutex<Option<Outcome>>,
    arrived: Condvar,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Option<Outcome>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees to it that there is an outcome, even if the request ends before it has one.
struct Landing(Arc<Slot>);

impl Landing {
    fn land(&self, outcome: Outcome) {
        self.0.lock().get_or_insert(outcome);
        self.0.arrived.notify_all();
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.land(Err(Failure::Body("request was given up".to_owned())));
    }
}

impl Flight {
    /// Waits for the outcome, aside from whatever else the thread has to do, until the evaluation is cancelled.
    pub(crate) fn wait(&self, cancel: &Cancel, linger: Linger) -> Outcome {
        let mut outcome = Err(Failure::Cancelled);
        linger(&mut || {
            let mut slot = self.slot.lock();
            while !cancel.is_cancelled() {
                if let Some(arrived) = &*slot {
                    outcome.clone_from(arrived);
                    return;
                }
                let woken = self.slot.arrived.wait_timeout(slot, LOOK_INTERVAL);
                slot = woken.unwrap_or_else(PoisonError::into_inner).0;
            }
        });
        outcome
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Requests under way that others may wait for too.
#[derive(Default)]
pub(crate) struct Flights(Mutex<HashMap<Value, Weak<Flight>>>);

impl Flights {
    /// The flight of that key, or a new one; also whether it is new.
    pub(crate) fn join(
        &self,
        key: &Value,
        start: impl FnOnce() -> Result<Arc<Flight>, Failure>,
    ) -> Result<(Arc<Flight>, bool), Failure> {
        let mut flights = self.lock();
        if let Some(flight) = flights.get(key).and_then(Weak::upgrade) {
            return Ok((flight, false));
        }
        let flight = start()?;
        flights.insert(key.clone(), Arc::downgrade(&flight));
        Ok((flight, true))
    }

    /// Lets nobody join the flight any more. Whoever started it says so in the end.
    pub(crate) fn end(&self, key: &Value, flight: &Arc<Flight>) {
        let mut flights = self.lock();
        if flights.get(key).is_some_and(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(flight))) {
            flights.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Value, Weak<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
