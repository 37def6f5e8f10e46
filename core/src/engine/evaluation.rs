//! One evaluation: what goes in and what comes out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use super::{Location, PolicyError};
use crate::caching::Caching;
use crate::metrics::Metrics;
use crate::store::Snapshot;
use crate::trace::Span;
use crate::value::{Value, encode};

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

/// Receives what `print` says.
pub trait Prints {
    /// One call of `print`.
    fn print(&mut self, text: &str, location: &Location);
}

/// Everything one evaluation works with.
pub struct Evaluation<'a> {
    /// The one state that the decision sees.
    pub snapshot: &'a Snapshot,
    /// The input document; undefined if absent.
    pub input: Option<&'a Value>,
    /// Whether errors of built-in functions end the evaluation rather than make the call undefined.
    pub strict_builtin_errors: bool,
    /// Where errors of built-in functions go, if somebody wants to know all of them.
    pub builtin_errors: Option<&'a mut Vec<PolicyError>>,
    /// Set from outside when the client has gone.
    pub cancel: &'a Cancel,
    /// An engine that sees that it works for long goes on within this, so that whoever shares the thread need not wait.
    pub linger: Linger,
    /// Timers and counters that the answer may show.
    pub metrics: Metrics,
    /// Where `print` goes; dropped if absent.
    pub prints: Option<&'a mut dyn Prints>,
    /// How much built-in functions may keep from one query to the next.
    pub caching: &'a Caching,
    /// What non-deterministic built-in functions gave, if that is to be recorded.
    pub recorded: Option<Recorded>,
    /// The request that the evaluation belongs to, for functions that ask others on its behalf.
    pub trace: Option<&'a Span>,
}

/// What non-deterministic built-in functions gave in one evaluation. A call like one that is recorded is not made again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recorded(BTreeMap<Arc<str>, BTreeMap<Value, Value>>);

impl Recorded {
    /// What the function gave for the operands, which are an array.
    pub fn get(&self, function: &str, operands: &Value) -> Option<&Value> {
        self.0.get(function)?.get(operands)
    }

    /// Keeps what the function gave for the operands, which are an array.
    pub fn put(&mut self, function: &Arc<str>, operands: Value, result: Value) {
        self.0.entry(function.clone()).or_default().insert(operands, result);
    }

    /// The record as decision logs show it: functions by name, and in each the results by the operands' JSON.
    pub fn to_value(&self) -> Value {
        let calls = |calls: &BTreeMap<Value, Value>| {
            Value::object(calls.iter().map(|(operands, result)| (encode(operands), result.clone())))
        };
        Value::object(self.0.iter().map(|(function, known)| (function.clone(), calls(known))))
    }
}

impl<'a> Evaluation<'a> {
    /// An evaluation without options, which measures nothing.
    pub fn new(snapshot: &'a Snapshot, input: Option<&'a Value>) -> Self {
        Self {
            snapshot,
            input,
            strict_builtin_errors: false,
            builtin_errors: None,
            cancel: Cancel::never(),
            linger: |work| work(),
            metrics: Metrics::default(),
            prints: None,
            caching: Caching::standard(),
            recorded: None,
            trace: None,
        }
    }
}

/// The rows of an answer; none when the query is undefined.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// One row for each way in which the query holds.
    pub rows: Vec<Row>,
}

/// One way in which a query holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// The variables of the query, without generated ones and wildcards.
    pub bindings: Vec<(Arc<str>, Value)>,
    /// The value of each expression.
    pub expressions: Vec<Expression>,
}

/// The value of one expression of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// Its value.
    pub value: Value,
    /// Its text in the query.
    pub text: Arc<str>,
    /// Its place in the query.
    pub location: Location,
}

impl Answer {
    /// An answer of one row with one value, or no row.
    pub fn of_document(value: Option<Value>, text: &str) -> Self {
        let expression = |value| Expression { value, text: text.into(), location: Location::default() };
        let row = |value| Row { bindings: Vec::new(), expressions: vec![expression(value)] };
        Self { rows: value.map(row).into_iter().collect() }
    }

    /// The value of the only expression of the only row, which is what a document query gives.
    pub fn document(&self) -> Option<&Value> {
        self.rows.first()?.expressions.first().map(|expression| &expression.value)
    }

    /// As [`Answer::document`], by value.
    pub fn into_document(self) -> Option<Value> {
        Some(self.rows.into_iter().next()?.expressions.into_iter().next()?.value)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_recorded_is_found_again_and_shown_by_the_operands_json() {
        let mut recorded = Recorded::default();
        let operands = || Value::array([Value::from("a<b"), Value::from(2)]);
        recorded.put(&"rand.intn".into(), operands(), 1.into());
        assert_eq!(recorded.get("rand.intn", &operands()), Some(&1.into()));
        assert_eq!(recorded.get("rand.intn", &Value::array(["a"])), None);
        assert_eq!(recorded.get("uuid.rfc4122", &operands()), None);
        let shown = Value::object([("rand.intn", Value::object([(r#"["a\u003cb",2]"#, 1)]))]);
        assert_eq!(recorded.to_value(), shown);
    }

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
