//! Distributed traces: which request of which client all that happens here belongs to.
//!
//! A plugin fills the role of the [`Tracer`]; while none does, no span is made, no header is read and none is passed on.

mod exchange;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use http::HeaderMap;

pub use exchange::{Exchange, method};

/// Which side of a request a span shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Somebody asked the agent.
    Server,
    /// The agent asks somebody.
    Client,
}

/// What is known of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Attribute {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u16> for Attribute {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

/// Starts spans.
pub trait Tracer: Send + Sync {
    /// Starts a span. It belongs to the trace that the headers of a received request name, or to a new one.
    fn start(&self, name: &str, side: Side, received: Option<&HeaderMap>) -> Span;
}

/// A span in the form that a [`Tracer`] makes. It ends when it is dropped.
pub trait Recording: Send + Sync {
    /// Trace and span in hexadecimal, also if nobody is told of them because the trace is not in the sample.
    fn ids(&self) -> (String, String);

    /// A span of what this one needs.
    fn child(&self, name: &str, side: Side) -> Span;

    /// Adds headers that tell a server which span its work belongs to.
    fn inject(&self, headers: &mut HeaderMap);

    /// Adds something that is known.
    fn set(&self, name: &'static str, value: Attribute);

    /// Marks what the span shows as failed; with a reason, unless the attributes tell.
    fn fail(&self, why: &str);
}

/// Something that takes a while. Clones share it; it ends when the last one is dropped.
#[derive(Clone)]
pub struct Span(Arc<dyn Recording>);

impl Span {
    /// The span that a tracer has made.
    pub fn new(recording: impl Recording + 'static) -> Self {
        Self(Arc::new(recording))
    }

    /// As [`Recording::ids`].
    pub fn ids(&self) -> (String, String) {
        self.0.ids()
    }

    /// As [`Recording::child`].
    #[must_use]
    pub fn child(&self, name: &str, side: Side) -> Self {
        self.0.child(name, side)
    }

    /// As [`Recording::inject`].
    pub fn inject(&self, headers: &mut HeaderMap) {
        self.0.inject(headers);
    }

    /// As [`Recording::set`].
    pub fn set(&self, name: &'static str, value: impl Into<Attribute>) {
        self.0.set(name, value.into());
    }

    /// As [`Recording::fail`].
    pub fn fail(&self, why: &str) {
        self.0.fail(why);
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, span) = self.ids();
        f.debug_struct("Span").field("trace", &trace).field("span", &span).finish_non_exhaustive()
    }
}

/// The tracer that runs now, if any does. Clones share it. Asked by every request, so asking takes no lock.
#[derive(Clone, Default)]
pub struct Tracing(Arc<Present>);

#[derive(Default)]
struct Present {
    /// Whether there is a tracer: most agents have none, and this is all that it costs them.
    is_on: AtomicBool,
    tracer: ArcSwapOption<Arc<dyn Tracer>>,
}

impl Tracing {
    /// As [`Tracer::start`]; nothing while there is no tracer.
    pub fn start(&self, name: impl FnOnce() -> String, side: Side, received: Option<&HeaderMap>) -> Option<Span> {
        if !self.is_on() {
            return None;
        }
        let tracer = self.0.tracer.load();
        tracer.as_ref().map(|tracer| tracer.start(&name(), side, received))
    }

    /// Whether there is a tracer.
    pub fn is_on(&self) -> bool {
        self.0.is_on.load(Ordering::Relaxed)
    }

    pub(crate) fn replace(&self, tracer: Option<Arc<dyn Tracer>>) {
        let is_on = tracer.is_some();
        self.0.tracer.store(tracer.map(Arc::new));
        self.0.is_on.store(is_on, Ordering::Relaxed);
    }
}
