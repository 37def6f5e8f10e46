//! The thread that reads bundles, one after the other.
//!
//! It lives as long as the process. An allocator keeps for each thread what the thread has given back; threads that come
//! and go would each leave behind as much as the largest bundle took. And since requests go before it, they notice little
//! of what it does.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread::Builder;

use regent_core::parallel::yield_to_others;

/// How far it goes behind the threads that answer requests: it has a quarter of what one of them has if all cores are
/// busy, so that a new version still becomes active in time.
const STEPS: i32 = 6;

/// Syntax trees and documents may be nested deeply, and are walked on the stack.
const STACK_BYTES: usize = 16 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// What the work comes to; panics if it does. Blocks until the thread has come to it.
pub(crate) fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    static THREAD: OnceLock<Option<Sender<Job>>> = OnceLock::new();
    // Where there can be no more threads, the present one does it.
    let Some(jobs) = THREAD.get_or_init(start) else { return work() };
    let (done, result) = sync_channel(1);
    let job = move || {
        // Whoever waits is told, and nobody else waits.
        let _ = done.send(catch_unwind(AssertUnwindSafe(work)));
    };
    jobs.send(Box::new(job)).expect("the thread takes jobs for ever");
    let outcome: Result<T, Box<dyn Any + Send>> = result.recv().expect("every job ends with an outcome");
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

fn start() -> Option<Sender<Job>> {
    let (sender, jobs) = channel::<Job>();
    let work = move || {
        yield_to_others(STEPS);
        for job in jobs {
            job();
        }
    };
    Builder::new().name("bundle".to_owned()).stack_size(STACK_BYTES).spawn(work).ok()?;
    Some(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_does_all_the_work_and_survives_a_panic() {
        let thread = || run(|| std::thread::current().id());
        let first = thread();
        assert_ne!(first, std::thread::current().id());
        let panic = catch_unwind(|| run(|| panic!("a mistake"))).expect_err("it is passed on");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"a mistake"));
        assert_eq!(thread(), first);
    }
}
