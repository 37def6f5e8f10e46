//! Plugins with a life of their own.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use regent_plugin_abi::{self as abi, Bytes, Status, Writer};
use serde::Deserialize;
use serde_json::json;

use crate::config::{self, PluginConfig};
use crate::error::Error;
use crate::glue;
use crate::host::Host;

/// Something with a life: configured at `plugins.NAME`, started, told, stopped.
pub trait Plugin: Sized + Send + 'static {
    /// Its name in logs, status and health.
    const NAME: &'static str;

    /// What it does, in a sentence.
    const DESCRIPTION: &'static str = "";

    /// Whether it is told of a changed configuration ([`Signal::Configure`]), and keeps its state; otherwise a new instance
    /// takes its place.
    const LIVE: bool = false;

    /// Its configuration.
    type Config: PluginConfig;

    /// Makes the value. Quick; claims no port, file or thread, so the value can simply be dropped.
    ///
    /// # Errors
    /// When it could never run; the configuration is then refused as a whole.
    fn build(config: Self::Config, host: Host) -> Result<Self, Error>;

    /// Works until told to stop, on a thread of its own. Counts as not ready until it reports that it is OK.
    ///
    /// # Errors
    /// When it cannot go on; its state is then `ERROR`.
    fn run(self, inbox: Inbox<Self::Config>) -> Result<(), Error>;
}

/// What a running plugin is told.
pub enum Signal<C> {
    /// Take this configuration in place of the present one.
    Configure(C, Reply),
    /// Do now what is otherwise done from time to time.
    Trigger(Reply),
    /// Finish within the time, and return.
    Stop(Duration),
}

/// Answers a signal. One that is dropped says that it went well.
pub struct Reply {
    host: Host,
    result: Result<(), Error>,
}

impl Reply {
    /// Says how it went.
    pub fn send(mut self, result: Result<(), Error>) {
        self.result = result;
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.host.answer(&self.result);
    }
}

/// Where a plugin is told.
pub struct Inbox<C> {
    host: Host,
    config: PhantomData<fn() -> C>,
}

/// The message of a stop.
#[derive(Deserialize)]
struct Stop {
    within_ms: u64,
}

impl<C: PluginConfig> Inbox<C> {
    /// The next signal.
    pub fn recv(&mut self) -> Signal<C> {
        loop {
            if let Some(signal) = self.recv_timeout(Duration::from_hours(1)) {
                return signal;
            }
        }
    }

    /// The next signal, if one comes within the time.
    pub fn recv_timeout(&mut self, wait: Duration) -> Option<Signal<C>> {
        let (signal, message) = self.host.next(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        let reply = || Reply { host: self.host.clone(), result: Ok(()) };
        match signal {
            abi::SIGNAL_NONE => None,
            abi::SIGNAL_TRIGGER => Some(Signal::Trigger(reply())),
            abi::SIGNAL_CONFIGURE => {
                let Ok(config) = config::read(&message) else {
                    reply().send(Err(Error::config("the configuration is wrong")));
                    return None;
                };
                Some(Signal::Configure(config, reply()))
            }
            _ => {
                let stop = serde_json::from_slice(&message).unwrap_or(Stop { within_ms: 0 });
                Some(Signal::Stop(Duration::from_millis(stop.within_ms)))
            }
        }
    }
}

/// The table of a plugin.
pub struct Table<P>(PhantomData<P>);

/// A plugin until it runs, and its host.
type Built<P> = Mutex<Option<(P, Host)>>;

impl<P: Plugin> Table<P> {
    /// What the library exports.
    pub const PLUGIN: &'static abi::Plugin = &abi::Plugin {
        size: size_of::<abi::Plugin>(),
        kind: abi::KIND_MANAGED,
        flags: if P::LIVE { abi::LIVE } else { 0 },
        name: Bytes::of(P::NAME.as_bytes()),
        describe: Some(describe::<P>),
        check: Some(glue::check::<P::Config>),
        create: Some(create::<P>),
        destroy: Some(glue::destroy::<Built<P>>),
        functions: std::ptr::from_ref(Self::FUNCTIONS).cast(),
    };

    const FUNCTIONS: &'static abi::Managed = &abi::Managed { size: size_of::<abi::Managed>(), run: Some(run::<P>) };
}

unsafe extern "C" fn describe<P: Plugin>(writer: *const Writer) -> Status {
    // SAFETY: the writer is the agent's.
    unsafe { glue::describe(writer, || json!({"description": P::DESCRIPTION})) }
}

unsafe extern "C" fn create<P: Plugin>(
    host: *const abi::Host,
    config: Bytes,
    instance: *mut *mut c_void,
    error: *const Writer,
) -> Status {
    let build = |config, host: Host| P::build(config, host.clone()).map(|plugin| Mutex::new(Some((plugin, host))));
    // SAFETY: the agent calls it.
    unsafe { glue::create((host, config, instance, error), build) }
}

unsafe extern "C" fn run<P: Plugin>(instance: *mut c_void, writer: *const Writer) -> Status {
    // SAFETY: the agent lends them, and the instance is of `create`.
    unsafe {
        glue::answer(writer, || {
            let built = glue::instance::<Built<P>>(instance)?.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (plugin, host) = built.ok_or_else(|| Error::failed("it has run already"))?;
            plugin.run(Inbox { host, config: PhantomData }).map(|()| Vec::new())
        })
    }
}
