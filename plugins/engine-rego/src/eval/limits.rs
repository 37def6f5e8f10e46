//! Bounds: cancellation, depth, and moving long work aside.

use regent_core::engine::{Cancel, ErrorCode, Linger};

use super::{Flow, Machine, Stop};

/// Steps between two looks at the signal.
const LOOK_INTERVAL: u64 = 512;

/// Steps after which an evaluation is a long one.
const LONG: u64 = 8_192;

/// Most blocks that are run within each other.
const MAX_DEPTH: usize = 100_000;

/// Stack that a block and what it calls may need before the next look.
const RED_ZONE: usize = 192 << 10;

/// Stack that is added when it runs short.
const GROWTH: usize = 4 << 20;

/// How far an evaluation has come, and who may stop it.
pub(super) struct Limits<'a> {
    steps: u64,
    next_look: u64,
    depth: usize,
    aside: bool,
    linger: Linger,
    cancel: &'a Cancel,
}

impl<'a> Limits<'a> {
    pub(super) fn new(cancel: &'a Cancel, linger: Linger) -> Self {
        Self { steps: 0, next_look: 0, depth: 0, aside: false, linger, cancel }
    }

    /// The signal that ends the evaluation.
    pub(super) fn cancel(&self) -> &'a Cancel {
        self.cancel
    }

    /// Counts a step.
    #[inline]
    pub(super) fn tick(&mut self) -> Flow {
        self.steps += 1;
        if self.steps <= self.next_look {
            return Ok(());
        }
        self.look()
    }

    #[cold]
    fn look(&mut self) -> Flow {
        self.next_look = self.steps + LOOK_INTERVAL;
        if self.cancel.is_cancelled() { Err(cancelled()) } else { Ok(()) }
    }

    #[inline]
    fn wants_aside(&self) -> bool {
        self.steps > LONG && !self.aside
    }
}

/// Nobody waits for the answer any more.
pub(super) fn cancelled() -> Stop {
    Stop::error(ErrorCode::EvalCancel, "caller cancelled query execution", None)
}

impl Machine<'_> {
    /// Runs work that other work may be nested in, on a stack that is large enough.
    pub(super) fn nested(&mut self, work: impl FnOnce(&mut Self) -> Flow) -> Flow {
        self.limits.tick()?;
        if self.limits.depth >= MAX_DEPTH {
            return Err(Stop::error(ErrorCode::EvalInternal, "evaluation is nested too deep", None));
        }
        self.limits.depth += 1;
        let flow = stacker::maybe_grow(RED_ZONE, GROWTH, || work(self));
        self.limits.depth -= 1;
        flow
    }

    /// Does the same with each item. If the evaluation turns out to be a long one, it does so aside from the thread's
    /// other work from the next item on; whatever loops are around this one follow when they come to their next item.
    pub(super) fn for_each<T>(
        &mut self,
        mut items: impl Iterator<Item = T>,
        mut one: impl FnMut(&mut Self, T) -> Flow,
    ) -> Flow {
        while !self.limits.wants_aside() {
            let Some(item) = items.next() else { return Ok(()) };
            self.limits.tick()?;
            one(self, item)?;
        }
        let mut flow = Ok(());
        self.limits.aside = true;
        (self.limits.linger)(&mut || {
            flow = items.try_for_each(|item| {
                self.limits.tick()?;
                one(self, item)
            });
        });
        self.limits.aside = false;
        flow
    }
}
