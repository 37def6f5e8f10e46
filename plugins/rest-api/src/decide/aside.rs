//! Keeps long evaluations from holding up other requests.
//!
//! Handing a thread's other tasks to another thread costs about ten microseconds, as much as a whole small request. So
//! it is done only where it pays.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};

/// What takes longer would better have run aside.
const LONG: Duration = Duration::from_millis(5);

/// How many quick evaluations in a row make up for a long one.
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
pub(super) struct Trust {
    /// Quick evaluations that are still missing.
    missing: AtomicU32,
}

impl Default for Trust {
    fn default() -> Self {
        Self { missing: AtomicU32::new(1) }
    }
}

impl Trust {
    /// Evaluates inline or aside.
    pub(super) fn run<T>(&self, evaluate: impl FnOnce() -> T) -> T {
        let missing = self.missing.load(Ordering::Relaxed);
        let start = Instant::now();
        let answer = if missing == 0 { evaluate() } else { aside(evaluate) };
        // Evaluations at the same time may overwrite what the others learned; the next ones learn it anew.
        if start.elapsed() > LONG {
            self.missing.store(PENANCE, Ordering::Relaxed);
        } else if missing > 0 {
            self.missing.store(missing - 1, Ordering::Relaxed);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_evaluation_costs_trust_until_many_were_quick() {
        let trust = Trust::default();
        let missing = || trust.missing.load(Ordering::Relaxed);
        assert_eq!(missing(), 1);
        trust.run(|| std::thread::sleep(2 * LONG));
        assert_eq!(missing(), PENANCE);
        trust.missing.store(1, Ordering::Relaxed);
        while missing() > 0 {
            trust.run(|| ());
        }
    }
}
