//! Keeps long evaluations from holding up other requests.
//!
//! Handing a thread's other tasks to another thread costs about ten microseconds, as much as a whole small request. So
//! it is done only where it pays.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};

/// What takes longer would better have run aside.
const LONG: Duration = Duration::from_millis(5);

/// How many quick evaluations in a row make up for long ones.
const PENANCE: u32 = 100;

/// Runs work that may take long, while another thread takes over the other tasks of this one. A runtime with a single
/// thread has no other.
pub(crate) fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// Whether a query may run inline. It may not before it has been quick.
///
/// One long evaluation is forgiven: on a busy machine it may only have waited for a processor.
pub(super) struct Placement {
    /// Quick evaluations that are still missing.
    missing: AtomicU32,
    /// Quick evaluations until the last long one is forgotten.
    suspicion: AtomicU32,
}

impl Default for Placement {
    fn default() -> Self {
        Self { missing: AtomicU32::new(1), suspicion: AtomicU32::new(0) }
    }
}

impl Placement {
    /// Evaluates inline or aside.
    pub(super) fn run<T>(&self, evaluate: impl FnOnce() -> T) -> T {
        let missing = self.missing.load(Ordering::Relaxed);
        // The way aside and back is no fault of the query's.
        let timed = || {
            let start = Instant::now();
            let answer = evaluate();
            (answer, start.elapsed() > LONG)
        };
        let (answer, was_long) = if missing == 0 { timed() } else { aside(timed) };
        self.learn(missing, was_long);
        answer
    }

    /// Evaluations at the same time may overwrite what the others learned; the next ones learn it anew.
    fn learn(&self, missing: u32, was_long: bool) {
        let suspicion = self.suspicion.load(Ordering::Relaxed);
        match (was_long, missing, suspicion) {
            (true, 0, 0) => self.suspicion.store(PENANCE, Ordering::Relaxed),
            (true, ..) => self.missing.store(PENANCE, Ordering::Relaxed),
            (false, 0, 0) => {}
            (false, 0, _) => self.suspicion.store(suspicion - 1, Ordering::Relaxed),
            (false, ..) => self.missing.store(missing - 1, Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_long_evaluations_cost_trust_until_many_were_quick() {
        let placement = Placement::default();
        let missing = || placement.missing.load(Ordering::Relaxed);
        let learn = |was_long| placement.learn(missing(), was_long);
        learn(false);
        assert_eq!(missing(), 0, "one quick evaluation is enough at the start");
        learn(true);
        assert_eq!(missing(), 0, "one long evaluation is forgiven");
        (0..PENANCE).for_each(|_| learn(false));
        learn(true);
        assert_eq!(missing(), 0, "and forgotten after many quick ones");
        learn(true);
        assert_eq!(missing(), PENANCE);
        (0..PENANCE).for_each(|_| learn(false));
        assert_eq!(missing(), 0);
    }

    #[test]
    fn a_query_that_is_long_at_once_is_not_trusted() {
        let placement = Placement::default();
        placement.run(|| std::thread::sleep(2 * LONG));
        assert_eq!(placement.missing.load(Ordering::Relaxed), PENANCE);
    }
}
