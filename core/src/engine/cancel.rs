//! Work that takes long: how it is stopped, and how it spares others.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

/// Milliseconds before a signal asks whether anybody still waits, and before it asks again.
const ASK_INTERVAL: u64 = 10;

/// Something that knows whether anybody still waits for an answer, but does not say so unasked.
pub trait Attended: Send + Sync {
    /// Whether nobody waits any more. Takes microseconds.
    fn is_abandoned(&self) -> bool;
}

/// Tells a running evaluation that nobody waits for its answer any more. Clones share the signal.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    given: AtomicBool,
    deadline: Option<Instant>,
    parent: Option<Cancel>,
    watch: Option<Watch>,
}

/// Whom to ask, and when.
struct Watch {
    over: Arc<dyn Attended>,
    since: Instant,
    /// How many milliseconds after `since` to ask; before that is known, [`FRESH`] or [`BEGUN`].
    next: AtomicU64,
}

/// Nobody has looked since the work began.
const FRESH: u64 = 0;

/// Somebody has looked once, which is at the beginning: short work never looks again, and taking the time would be a
/// good part of what it costs.
const BEGUN: u64 = 1;

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("since", &self.since).finish_non_exhaustive()
    }
}

impl Cancel {
    /// A signal that nobody gives.
    pub fn never() -> &'static Self {
        static NEVER: LazyLock<Cancel> = LazyLock::new(Cancel::default);
        &NEVER
    }

    /// A signal that is given at that time, if not before.
    pub fn at(deadline: Instant) -> Self {
        Self(Arc::new(Signal { deadline: Some(deadline), ..Signal::default() }))
    }

    /// A signal of its own that is also given when this one is.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(Arc::new(Signal { parent: Some(self.clone()), ..Signal::default() }))
    }

    /// As [`Cancel::child`]; also given by whoever looks at it and finds, when work has taken some time, that nobody waits.
    #[must_use]
    pub fn attended(&self, over: Arc<dyn Attended>) -> Self {
        let watch = Watch { over, since: Instant::now(), next: AtomicU64::new(FRESH) };
        Self(Arc::new(Signal { parent: Some(self.clone()), watch: Some(watch), ..Signal::default() }))
    }

    /// Other work begins under the same signal; it gets its own time before anybody is asked.
    pub fn begin(&self) {
        if let Some(watch) = &self.0.watch {
            watch.next.store(FRESH, Ordering::Relaxed);
        }
    }

    /// Asks the evaluation to stop; it ends with `eval_cancel_error`.
    pub fn cancel(&self) {
        self.0.given.store(true, Ordering::Relaxed);
    }

    /// Whether the signal itself has been given, whatever a deadline or the parent says.
    pub fn is_given(&self) -> bool {
        self.0.given.load(Ordering::Relaxed)
    }

    /// Whether the evaluation should stop.
    pub fn is_cancelled(&self) -> bool {
        if self.0.watch.as_ref().is_some_and(Watch::finds_nobody) {
            self.cancel();
        }
        self.is_given()
            || self.0.deadline.is_some_and(|deadline| Instant::now() >= deadline)
            || self.0.parent.as_ref().is_some_and(Self::is_cancelled)
    }
}

impl Watch {
    fn finds_nobody(&self) -> bool {
        let next = self.next.load(Ordering::Relaxed);
        if next == FRESH {
            self.next.store(BEGUN, Ordering::Relaxed);
            return false;
        }
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        if next != BEGUN && now < next {
            return false;
        }
        self.next.store(now.saturating_add(ASK_INTERVAL), Ordering::Relaxed);
        next != BEGUN && self.over.is_abandoned()
    }
}

/// Does work that takes long, in whatever way spares the caller's thread.
pub type Linger = fn(&mut dyn FnMut());

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_signal_reaches_children_but_not_the_parent() {
        let parent = Cancel::default();
        let (first, second) = (parent.child(), parent.child());
        first.cancel();
        assert!(first.is_cancelled() && !second.is_cancelled() && !parent.is_cancelled());
        parent.cancel();
        assert!(second.is_cancelled() && !second.is_given() && parent.is_given());
    }

    #[test]
    fn whoever_looks_for_long_learns_that_nobody_waits() {
        struct Line(AtomicBool, AtomicU64);
        impl Attended for Line {
            fn is_abandoned(&self) -> bool {
                self.1.fetch_add(1, Ordering::Relaxed);
                self.0.load(Ordering::Relaxed)
            }
        }
        let line = Arc::new(Line(AtomicBool::new(false), AtomicU64::new(0)));
        let cancel = Cancel::default().attended(line.clone());
        while line.1.load(Ordering::Relaxed) < 2 {
            assert!(!cancel.is_cancelled(), "somebody waits");
        }
        let since = cancel.0.watch.as_ref().expect("a watch").since;
        assert!(since.elapsed() >= Duration::from_millis(2 * ASK_INTERVAL), "asked now and then");
        let asked = line.1.load(Ordering::Relaxed);
        for _ in 0..100 {
            cancel.begin();
            assert!(!cancel.is_cancelled() && !cancel.is_cancelled());
        }
        assert_eq!(line.1.load(Ordering::Relaxed), asked, "nobody is asked at the beginning of work");
        line.0.store(true, Ordering::Relaxed);
        while !cancel.is_cancelled() {}
        assert!(cancel.is_given());
    }

    #[test]
    fn a_deadline_gives_the_signal() {
        let (past, future) = (Cancel::at(Instant::now()), Cancel::at(Instant::now() + Duration::from_hours(1)));
        assert!(past.is_cancelled() && past.child().is_cancelled());
        assert!(!future.is_cancelled());
        future.cancel();
        assert!(future.is_cancelled());
    }
}
