//! Keeps a case that goes wrong from taking the run with it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use regent_core::engine::Cancel;

/// How long a case may take before it is told to stop, and then before it is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// As much stack as a request thread of the agent is known to do with, so that what recurses too deep shows.
const STACK: usize = 8 << 20;

/// How work ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending<T> {
    /// With a result.
    Done(T),
    /// With a panic that said this.
    Panicked(String),
    /// Not in time, but when it was told to.
    Slow,
    /// Not even when it was told to; its thread is left behind.
    Stuck,
}

/// Does the work on a thread of its own, whose name a stack overflow would show.
pub(crate) fn isolate<T: Send + 'static>(name: String, work: impl FnOnce(&Cancel) -> T + Send + 'static) -> Ending<T> {
    let cancel = Cancel::default();
    let (sender, receiver) = channel();
    let signal = cancel.clone();
    let body = move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&signal)));
        // Nobody listens any more once the case was given up.
        let _ = sender.send(outcome);
    };
    thread::Builder::new().name(name).stack_size(STACK).spawn(body).expect("a thread");
    await_end(&receiver, &cancel)
}

fn await_end<T>(receiver: &Receiver<thread::Result<T>>, cancel: &Cancel) -> Ending<T> {
    match receiver.recv_timeout(PATIENCE) {
        Ok(Ok(result)) => return Ending::Done(result),
        Ok(Err(panic)) => return Ending::Panicked(message(&*panic)),
        Err(RecvTimeoutError::Disconnected) => return Ending::Panicked("the thread ended".to_owned()),
        Err(RecvTimeoutError::Timeout) => cancel.cancel(),
    }
    if receiver.recv_timeout(PATIENCE).is_ok() { Ending::Slow } else { Ending::Stuck }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("of no text").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_stays_inside() {
        assert_eq!(
            isolate("panics".into(), |_| -> u8 { panic!("at the {}", "disco") }),
            Ending::Panicked("at the disco".into())
        );
        assert_eq!(isolate("works".into(), |_| 7), Ending::Done(7));
    }
}
