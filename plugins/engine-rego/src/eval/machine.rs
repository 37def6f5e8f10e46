//! The state of one evaluation.

use std::cell::Cell;
use std::time::Duration;

use regent_core::Value;
use regent_core::builtin::{QueryState, SharedState};
use regent_core::caching::Caching;
use regent_core::engine::{Cancel, Linger, Location, PolicyError, Recorded};
use regent_core::metrics::Metrics;
use regent_core::trace;

use super::Held;
use super::env::Env;
use super::limits::Limits;
use crate::plan::{Plan, Slot};
use regent_builtins::remote::Network;

/// What an evaluation works with.
pub(crate) struct Context<'a> {
    /// The rules.
    pub(crate) plan: &'a Plan,
    /// Base data.
    pub(crate) data: &'a Value,
    /// The input document.
    pub(crate) input: Option<&'a Value>,
    /// State of built-in functions that outlives the evaluation.
    pub(crate) shared: &'a SharedState,
    /// What `opa.runtime` gives.
    pub(crate) runtime: &'a Value,
    /// Ends the evaluation.
    pub(crate) cancel: &'a Cancel,
    /// Does long work.
    pub(crate) linger: Linger,
    /// Whether all errors of built-in functions are kept, not only the first.
    pub(crate) all_errors: bool,
    /// Whether anybody listens to `print`.
    pub(crate) prints: bool,
    /// Timers and counters.
    pub(crate) metrics: &'a mut Metrics,
    /// What non-deterministic functions gave, if that is recorded.
    pub(crate) recorded: Option<&'a mut Recorded>,
    /// How much functions may keep from one query to the next.
    pub(crate) caching: &'a Caching,
    /// Other hosts.
    pub(crate) network: &'a Network,
    /// The request that functions ask others for.
    pub(crate) trace: Option<&'a trace::Span>,
}

/// Slots for which there is room from the start.
const USUAL_SLOTS: usize = 64;

/// Errors of built-in functions that are kept if all are wanted.
const MOST_ERRORS: usize = 10_000;

/// The state of one evaluation.
pub(crate) struct Machine<'a> {
    pub(super) plan: &'a Plan,
    pub(super) data: &'a Value,
    pub(super) env: Env<'a>,
    /// The frames of the rules that are being evaluated, one behind the other.
    slots: Vec<Held<'a>>,
    pub(super) limits: Limits<'a>,
    pub(super) builtins: BuiltinState<'a>,
    /// How long reading base data took, if it was read and measured.
    pub(super) resolving: Cell<Option<Duration>>,
    /// What `print` said, if anybody listens.
    pub(super) prints: Option<Vec<(String, Location)>>,
}

/// What calls of built-in functions need.
pub(super) struct BuiltinState<'a> {
    pub(super) now: Option<i64>,
    pub(super) runtime: &'a Value,
    pub(super) query: QueryState,
    pub(super) shared: &'a SharedState,
    pub(super) linger: Linger,
    pub(super) metrics: &'a mut Metrics,
    pub(super) recorded: Option<&'a mut Recorded>,
    pub(super) caching: &'a Caching,
    pub(super) network: &'a Network,
    pub(super) trace: Option<&'a trace::Span>,
    /// Operands of the call that is being made; kept for its memory.
    pub(super) operands: Vec<Value>,
    /// What functions failed with: only the first error, which counts if errors are strict, or as many as are wanted.
    pub(super) errors: Vec<PolicyError>,
    /// How many errors are kept.
    pub(super) most_errors: usize,
}

impl<'a> Machine<'a> {
    /// An evaluation that has not begun. Inlined, because it is large enough for a copy to be felt.
    #[inline]
    pub(crate) fn new(context: Context<'a>) -> Self {
        let input = context.input.map(Held::Borrowed);
        Self {
            plan: context.plan,
            data: context.data,
            env: Env { input, ..Env::default() },
            slots: Vec::with_capacity(USUAL_SLOTS),
            limits: Limits::new(context.cancel, context.linger),
            builtins: BuiltinState {
                now: None,
                runtime: context.runtime,
                query: QueryState::default(),
                shared: context.shared,
                linger: context.linger,
                metrics: context.metrics,
                recorded: context.recorded,
                caching: context.caching,
                network: context.network,
                trace: context.trace,
                operands: Vec::new(),
                errors: Vec::new(),
                most_errors: if context.all_errors { MOST_ERRORS } else { 1 },
            },
            resolving: Cell::new(None),
            prints: context.prints.then(Vec::new),
        }
    }

    /// The errors of built-in functions.
    pub(crate) fn take_builtin_errors(&mut self) -> Vec<PolicyError> {
        std::mem::take(&mut self.builtins.errors)
    }

    /// Adds what was measured to the metrics.
    pub(crate) fn measure(&mut self) {
        if let Some(time) = self.resolving.take() {
            let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            self.builtins.metrics.add("timer_rego_external_resolve_ns", nanos);
        }
    }

    /// What `print` said.
    pub(crate) fn take_prints(&mut self) -> Vec<(String, Location)> {
        self.prints.take().unwrap_or_default()
    }

    /// Makes a frame whose first slots hold the values.
    pub(super) fn push_frame(&mut self, slots: usize, first: &[Held<'a>]) -> usize {
        let frame = self.slots.len();
        self.slots.extend_from_slice(first);
        self.slots.resize_with(frame + slots, || Held::Owned(Value::default()));
        frame
    }

    /// Drops a frame and all behind it.
    pub(super) fn pop_frame(&mut self, frame: usize) {
        self.slots.truncate(frame);
    }

    pub(super) fn slot(&self, frame: usize, slot: Slot) -> &Held<'a> {
        &self.slots[frame + slot]
    }

    pub(super) fn set_slot(&mut self, frame: usize, slot: Slot, value: Held<'a>) {
        self.slots[frame + slot] = value;
    }
}
