//! The functions of the table. Each is called from threads of a library, at any time, with whatever it likes to say.

use std::cell::Cell;
use std::time::{Duration, Instant};

use regent_core::Value;
use regent_core::engine::{Cancel, Evaluation, Query, QueryError};
use regent_core::status::State;
use regent_core::store::StoreError;
use regent_core::value::{Path, decode, encode};
use regent_plugin_abi::{self as abi, Bytes, Status, Writer};
use tokio::runtime::Handle;

use super::meters::Change;
use super::{HostSide, Signal};

/// Most bytes of a message for people.
const TEXT: usize = 8 << 10;

/// Most bytes of a path.
const PATH: usize = 4 << 10;

/// Most bytes of a document that a plugin writes.
const DOCUMENT: usize = 256 << 20;

/// The longest that `next` waits at once.
const WAIT: u64 = 24 * 60 * 60 * 1000;

thread_local! {
    /// Whether this thread is in a function of Rego: what it asked for could ask for the function again, and so on.
    static IN_FUNCTION: Cell<bool> = const { Cell::new(false) };
}

/// Makes a call of a function of Rego.
pub(crate) fn in_function<T>(call: impl FnOnce() -> T) -> T {
    let before = IN_FUNCTION.replace(true);
    let result = call();
    IN_FUNCTION.set(before);
    result
}

/// The table, with all there is.
pub(super) fn table() -> abi::Host {
    abi::Host {
        size: size_of::<abi::Host>(),
        abi_major: abi::ABI_MAJOR,
        abi_minor: abi::ABI_MINOR,
        context: std::ptr::null_mut(),
        log,
        report,
        count,
        gauge,
        read,
        write,
        next,
        answer,
        decide,
    }
}

/// What a library lends, unless it lies about its length or is null.
///
/// # Safety
/// There are as many bytes as it says, if that is no more than the limit.
unsafe fn lent<'a>(bytes: Bytes, limit: usize) -> Option<&'a [u8]> {
    match bytes {
        Bytes { len: 0, .. } => Some(&[]),
        Bytes { data, len } if data.is_null() || len > limit => None,
        // SAFETY: as promised.
        Bytes { data, len } => Some(unsafe { std::slice::from_raw_parts(data, len) }),
    }
}

/// The same as text; what is no UTF-8 in it is replaced.
///
/// # Safety
/// As [`lent`].
unsafe fn text(bytes: Bytes) -> Option<String> {
    // SAFETY: as promised.
    unsafe { lent(bytes, TEXT) }.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// Writes an answer; whether it was taken.
///
/// # Safety
/// The writer is null, or one that can be called.
unsafe fn put(writer: *const Writer, answer: &[u8]) -> bool {
    // SAFETY: as promised.
    let Some(Writer { context, write: Some(write) }) = (unsafe { writer.as_ref() }) else { return false };
    // SAFETY: as promised.
    answer.is_empty() || unsafe { write(*context, answer.as_ptr(), answer.len()) } == 0
}

/// Writes why something is not done.
///
/// # Safety
/// As [`put`].
unsafe fn refuse(writer: *const Writer, status: Status, why: &str) -> Status {
    // SAFETY: as promised.
    unsafe { put(writer, why.as_bytes()) };
    status
}

unsafe extern "C" fn log(host: *const abi::Host, level: i32, message: Bytes) {
    // SAFETY: the header asks that of the caller.
    let (host, message) = unsafe { (HostSide::behind(host), text(message)) };
    let (Some(host), Some(message)) = (host, message) else { return };
    let plugin = host.attached.plugin();
    match level {
        0 => tracing::debug!(plugin, "{message}"),
        1 => tracing::info!(plugin, "{message}"),
        2 => tracing::warn!(plugin, "{message}"),
        _ => tracing::error!(plugin, "{message}"),
    }
}

unsafe extern "C" fn report(host: *const abi::Host, state: i32, message: Bytes) {
    // SAFETY: the header asks that of the caller.
    let (host, message) = unsafe { (HostSide::behind(host), text(message)) };
    let (Some(host), Some(message)) = (host, message) else { return };
    let state = match state {
        abi::STATE_NOT_READY => State::NotReady,
        abi::STATE_OK => State::Ok,
        abi::STATE_WARN => State::Warn,
        _ => State::Error,
    };
    if host.is_open() {
        host.attached.report(state, &message);
    }
}

unsafe extern "C" fn count(host: *const abi::Host, name: Bytes, add: u64) -> Status {
    // SAFETY: the header asks that of the caller.
    unsafe { change(host, name, Change::Add(add)) }
}

unsafe extern "C" fn gauge(host: *const abi::Host, name: Bytes, value: f64) -> Status {
    // SAFETY: the header asks that of the caller.
    unsafe { change(host, name, Change::Set(value)) }
}

/// # Safety
/// As the functions above.
unsafe fn change(host: *const abi::Host, name: Bytes, change: Change) -> Status {
    // SAFETY: as promised.
    let (host, name) = unsafe { (HostSide::behind(host), text(name)) };
    let (Some(host), Some(name)) = (host, name) else { return abi::REFUSED };
    let Some(agent) = host.attached.agent().filter(|_| host.is_open()) else { return abi::UNAVAILABLE };
    let done = host.meters.change(&agent.host.telemetry, host.attached.plugin(), &name, change);
    if done { abi::OK } else { abi::REFUSED }
}

unsafe extern "C" fn read(host: *const abi::Host, path: Bytes, answer: *const Writer) -> Status {
    // SAFETY: the header asks that of the caller.
    let (host, path) = unsafe { (HostSide::behind(host), lent(path, PATH)) };
    let (Some(host), Some(Ok(path))) = (host, path.map(std::str::from_utf8)) else { return abi::REFUSED };
    let Some(agent) = host.attached.agent().filter(|_| host.is_open()) else { return abi::UNAVAILABLE };
    let snapshot = agent.host.store.snapshot();
    let Some(document) = snapshot.data().at(Path::from_slashes(path).segments()) else { return abi::OK };
    // SAFETY: the header asks that of the caller.
    if unsafe { put(answer, encode(document).as_bytes()) } { abi::OK } else { abi::REFUSED }
}

unsafe extern "C" fn write(host: *const abi::Host, path: Bytes, document: Bytes, error: *const Writer) -> Status {
    // SAFETY: the header asks that of the caller.
    let (host, path, document) = unsafe { (HostSide::behind(host), lent(path, PATH), lent(document, DOCUMENT)) };
    let (Some(host), Some(Ok(path)), Some(document)) = (host, path.map(std::str::from_utf8), document) else {
        return abi::REFUSED;
    };
    match host.put(path, document) {
        Ok(()) => abi::OK,
        // SAFETY: the header asks that of the caller.
        Err((status, why)) => unsafe { refuse(error, status, &why) },
    }
}

unsafe extern "C" fn next(host: *const abi::Host, wait_ms: u64, message: *const Writer) -> i32 {
    // SAFETY: the header asks that of the caller.
    let Some(host) = (unsafe { HostSide::behind(host) }) else { return abi::SIGNAL_STOP };
    let (signal, text) = match host.signals.next(Duration::from_millis(wait_ms.min(WAIT))) {
        None => return abi::SIGNAL_NONE,
        Some(Signal::Stop(within)) => {
            (abi::SIGNAL_STOP, format!("{{\"within_ms\":{}}}", within.as_millis()).into_bytes())
        }
        Some(Signal::Trigger(_)) => (abi::SIGNAL_TRIGGER, Vec::new()),
        Some(Signal::Configure(config, _)) => (abi::SIGNAL_CONFIGURE, config),
    };
    // SAFETY: the header asks that of the caller.
    unsafe { put(message, &text) };
    signal
}

unsafe extern "C" fn answer(host: *const abi::Host, status: Status, message: Bytes) {
    // SAFETY: the header asks that of the caller.
    let (host, message) = unsafe { (HostSide::behind(host), text(message)) };
    let (Some(host), Some(message)) = (host, message) else { return };
    host.signals.answer(if status == abi::OK { Ok(()) } else { Err(message) });
}

unsafe extern "C" fn decide(host: *const abi::Host, path: Bytes, input: Bytes, answer: *const Writer) -> Status {
    // SAFETY: the header asks that of the caller.
    let (host, path, input) = unsafe { (HostSide::behind(host), lent(path, PATH), lent(input, DOCUMENT)) };
    let (Some(host), Some(Ok(path)), Some(input)) = (host, path.map(std::str::from_utf8), input) else {
        return abi::REFUSED;
    };
    match host.ask(path, input) {
        Ok(None) => abi::OK,
        // SAFETY: the header asks that of the caller.
        Ok(Some(result)) if unsafe { put(answer, encode(&result).as_bytes()) } => abi::OK,
        Ok(Some(_)) => abi::REFUSED,
        // SAFETY: the header asks that of the caller.
        Err((status, why)) => unsafe { refuse(answer, status, &why) },
    }
}

impl HostSide {
    /// Asks for a document.
    fn ask(&self, path: &str, input: &[u8]) -> Result<Option<Value>, (Status, String)> {
        if IN_FUNCTION.get() {
            return Err((abi::REFUSED, "a function of Rego may not ask for documents".to_owned()));
        }
        let agent = self.attached.agent().filter(|_| self.is_open());
        let agent = agent.ok_or_else(|| (abi::UNAVAILABLE, "there is no agent to ask".to_owned()))?;
        let input = match input {
            [] => None,
            input => Some(decode(input).map_err(|error| (abi::REFUSED, error.to_string()))?),
        };
        let failed = |error: QueryError| (abi::FAILED, error.to_string());
        let snapshot = agent.host.store.snapshot();
        let query = snapshot.prepare(&Query::Document(Path::from_slashes(path))).map_err(failed)?;
        let (settings, cancel) = (agent.host.settings(), Cancel::at(Instant::now() + self.grants.deadline));
        let evaluation = snapshot.evaluation(input.as_ref());
        let mut evaluation = Evaluation { cancel: &cancel, caching: &settings.caching, ..evaluation };
        query.document(&mut evaluation).map_err(failed)
    }

    /// Puts a document in its place, or removes what is there.
    fn put(&self, path: &str, document: &[u8]) -> Result<(), (Status, String)> {
        let path = Path::from_slashes(path);
        let within = |granted: &Path| path.is_within(granted);
        if !self.grants.write_paths.iter().any(within) {
            let text = format!("{path} does not lie within the library's `write_paths`");
            return Err((abi::REFUSED, text));
        }
        let document = match document {
            [] => None,
            document => Some(decode(document).map_err(|error| (abi::REFUSED, error.to_string()))?),
        };
        let unavailable = |why: &str| (abi::UNAVAILABLE, why.to_owned());
        let agent = self.attached.agent().filter(|_| self.is_open());
        let agent = agent.ok_or_else(|| unavailable("there is no agent to write to"))?;
        if Handle::try_current().is_ok() {
            return Err((abi::REFUSED, "not on a thread of the agent's own: the function is inline".to_owned()));
        }
        let store = agent.host.store.clone();
        let written = agent.runtime.block_on(store.write(move |transaction| {
            transaction.require_unowned(&path)?;
            match document {
                Some(document) => transaction.put(&path, document),
                None => transaction.remove(&path),
            }
        }));
        written.map_err(|error: StoreError| (abi::REFUSED, error.to_string()))
    }
}
