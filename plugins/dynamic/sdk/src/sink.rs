//! Sinks of decisions.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use regent_plugin_abi::{self as abi, Bytes, Status, Writer};
use serde_json::{Value, json};

use crate::config::PluginConfig;
use crate::error::Error;
use crate::glue;
use crate::host::Host;

/// Takes decision events that `decision_logs.plugin: NAME` sends to it; configured at `plugins.NAME`.
pub trait DecisionSink: Sized + Send + 'static {
    /// Its name in the configuration.
    const NAME: &'static str;

    /// What it does, in a sentence.
    const DESCRIPTION: &'static str = "";

    /// How many events it would like to be given at once.
    const BATCH: BatchSettings = BatchSettings { events: 256, bytes: 4 << 20, wait_ms: 0 };

    /// Its configuration.
    type Config: PluginConfig;

    /// Makes the sink. Quick; claims nothing.
    ///
    /// # Errors
    /// When it could never work.
    fn build(config: Self::Config, host: Host) -> Result<Self, Error>;

    /// Takes a batch, in order. The events are masked already. One may come again: after an error, and after a crash.
    ///
    /// # Errors
    /// [`Error::unavailable`] has the same batch offered again later; any other drops it, which is counted.
    /// [`Error::refused_events`] drops only so many events, and the sink has taken the others.
    fn write(&mut self, events: &[Event<'_>]) -> Result<(), Error>;

    /// Finishes what it has begun; called once, at the end.
    ///
    /// # Errors
    /// What was lost.
    fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

/// How many events a sink would like to be given at once. It may get fewer, and a few bytes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSettings {
    /// As many events.
    pub events: usize,
    /// Or events of so many bytes.
    pub bytes: usize,
    /// Or those that there are, once the first of them has waited so many milliseconds.
    pub wait_ms: u64,
}

/// The record of a decision.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a>(&'a [u8]);

impl<'a> Event<'a> {
    /// An event as the agent would give it, for tests.
    pub fn new(json: &'a [u8]) -> Self {
        Self(json)
    }

    /// The event as one JSON object, without line breaks.
    pub fn json(&self) -> &'a [u8] {
        self.0
    }

    /// The event as a value, for who wants single fields of it. Decodes anew each time.
    pub fn to_value(&self) -> Value {
        serde_json::from_slice(self.0).unwrap_or_default()
    }
}

/// The table of a sink.
pub struct Table<S>(PhantomData<S>);

/// A sink until it is closed.
type Open<S> = Mutex<Option<S>>;

impl<S: DecisionSink> Table<S> {
    /// What the library exports.
    pub const PLUGIN: &'static abi::Plugin = &abi::Plugin {
        size: size_of::<abi::Plugin>(),
        kind: abi::KIND_SINK,
        flags: 0,
        name: Bytes::of(S::NAME.as_bytes()),
        describe: Some(describe::<S>),
        check: Some(glue::check::<S::Config>),
        create: Some(create::<S>),
        destroy: Some(glue::destroy::<Open<S>>),
        functions: std::ptr::from_ref(Self::FUNCTIONS).cast(),
    };

    const FUNCTIONS: &'static abi::Sink =
        &abi::Sink { size: size_of::<abi::Sink>(), write: Some(write::<S>), close: Some(close::<S>) };
}

unsafe extern "C" fn describe<S: DecisionSink>(writer: *const Writer) -> Status {
    let BatchSettings { events, bytes, wait_ms } = S::BATCH;
    let batch = json!({"events": events, "bytes": bytes, "wait_ms": wait_ms});
    // SAFETY: the writer is the agent's.
    unsafe { glue::describe(writer, || json!({"description": S::DESCRIPTION, "batch": batch})) }
}

unsafe extern "C" fn create<S: DecisionSink>(
    host: *const abi::Host,
    config: Bytes,
    instance: *mut *mut c_void,
    error: *const Writer,
) -> Status {
    let build = |config, host| S::build(config, host).map(|sink| Mutex::new(Some(sink)));
    // SAFETY: the agent calls it.
    unsafe { glue::create((host, config, instance, error), build) }
}

unsafe extern "C" fn write<S: DecisionSink>(
    instance: *mut c_void,
    events: *const Bytes,
    count: usize,
    writer: *const Writer,
) -> Status {
    // SAFETY: the agent lends all of them, and the instance is of `create`.
    unsafe {
        glue::answer(writer, || {
            let slices = if count == 0 { &[] } else { std::slice::from_raw_parts(events, count) };
            let events: Vec<Event<'_>> = slices.iter().map(|bytes| Event(glue::lent(*bytes))).collect();
            let mut sink = glue::instance::<Open<S>>(instance)?.lock().unwrap_or_else(PoisonError::into_inner);
            let sink = sink.as_mut().ok_or_else(|| Error::failed("the sink is closed"))?;
            sink.write(&events).map(|()| Vec::new())
        })
    }
}

unsafe extern "C" fn close<S: DecisionSink>(instance: *mut c_void, writer: *const Writer) -> Status {
    // SAFETY: the agent lends them, and the instance is of `create`.
    unsafe {
        glue::answer(writer, || {
            let sink = glue::instance::<Open<S>>(instance)?.lock().unwrap_or_else(PoisonError::into_inner).take();
            sink.map_or(Ok(()), DecisionSink::close).map(|()| Vec::new())
        })
    }
}
