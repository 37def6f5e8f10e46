//! What a plugin may ask of the agent.

use std::ffi::c_void;
use std::sync::Arc;

use regent_plugin_abi::{self as abi, Bytes, Status, Writer};
use serde_json::Value;

use crate::error::Error;

/// The state that a plugin reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It works on becoming ready.
    NotReady,
    /// It does what it should.
    Ok,
    /// It works, but someone should look.
    Warn,
    /// It does not work.
    Error,
}

/// A plugin's view of the agent. Clones are the same; it may be used from any thread, at any time.
#[derive(Clone)]
pub struct Host(*const abi::Host, #[expect(dead_code, reason = "keeps a table of one's own")] Option<Arc<abi::Host>>);

// SAFETY: the header promises that hosts may be used from any thread.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Host {
    /// The host behind a table of the agent's, which stays.
    pub(crate) fn new(table: *const abi::Host) -> Self {
        Self(table, None)
    }

    /// A host of one's own, for tests.
    pub(crate) fn own(table: abi::Host) -> Self {
        let table = Arc::new(table);
        Self(Arc::as_ptr(&table), Some(table))
    }

    pub(crate) fn table(&self) -> &abi::Host {
        // SAFETY: the agent's tables stay for as long as the process lives, and one's own for as long as this.
        unsafe { &*self.0 }
    }

    /// A line in the agent's log, for who looks for a fault.
    pub fn debug(&self, message: &str) {
        self.log(0, message);
    }

    /// A line in the agent's log.
    pub fn info(&self, message: &str) {
        self.log(1, message);
    }

    /// A line in the agent's log that someone should see.
    pub fn warn(&self, message: &str) {
        self.log(2, message);
    }

    /// A line in the agent's log that someone must see.
    pub fn error(&self, message: &str) {
        self.log(3, message);
    }

    fn log(&self, level: i32, message: &str) {
        // SAFETY: the message is there until it returns.
        unsafe { (self.table().log)(self.0, level, Bytes::of(message.as_bytes())) }
    }

    /// Reports the plugin's own state, for health and status.
    pub fn report(&self, state: State, message: &str) {
        let state = match state {
            State::NotReady => abi::STATE_NOT_READY,
            State::Ok => abi::STATE_OK,
            State::Warn => abi::STATE_WARN,
            State::Error => abi::STATE_ERROR,
        };
        // SAFETY: the message is there until it returns.
        unsafe { (self.table().report)(self.0, state, Bytes::of(message.as_bytes())) }
    }

    /// Adds to the counter `regent_plugin_NAME` of the agent's metrics; whether there is one. Names are small letters, digits
    /// and `_`.
    pub fn count(&self, name: &str, add: u64) -> bool {
        // SAFETY: the name is there until it returns.
        unsafe { (self.table().count)(self.0, Bytes::of(name.as_bytes()), add) == abi::OK }
    }

    /// Sets the gauge `regent_plugin_NAME` of the agent's metrics; whether there is one.
    pub fn gauge(&self, name: &str, value: f64) -> bool {
        // SAFETY: the name is there until it returns.
        unsafe { (self.table().gauge)(self.0, Bytes::of(name.as_bytes()), value) == abi::OK }
    }

    /// The document of base data at a path such as `users/alice`, if there is one.
    ///
    /// # Errors
    /// When there is no agent to ask yet, or any more.
    pub fn read(&self, path: &str) -> Result<Option<Value>, Error> {
        // SAFETY: both arguments are there until it returns.
        let json = asked(|writer| unsafe { (self.table().read)(self.0, Bytes::of(path.as_bytes()), writer) })?;
        document(&json)
    }

    /// The document at a path such as `authz/allow`, rules included, if it is defined. Not from a function that policies call.
    ///
    /// # Errors
    /// When it cannot be evaluated in time, or there is no agent to ask yet, or any more.
    pub fn decide(&self, path: &str, input: Option<&Value>) -> Result<Option<Value>, Error> {
        let input = input.map(Value::to_string).unwrap_or_default();
        let (path, input) = (Bytes::of(path.as_bytes()), Bytes::of(input.as_bytes()));
        // SAFETY: all arguments are there until it returns.
        document(&asked(|writer| unsafe { (self.table().decide)(self.0, path, input, writer) })?)
    }

    /// Puts a document at a path of base data, which the library's `write_paths` must allow.
    ///
    /// # Errors
    /// When it may not be written, cannot be there, or there is no agent.
    pub fn write(&self, path: &str, document: &Value) -> Result<(), Error> {
        self.put(path, document.to_string().as_bytes())
    }

    /// Removes the document at a path of base data, which the library's `write_paths` must allow.
    ///
    /// # Errors
    /// As [`Host::write`]; or there is none.
    pub fn remove(&self, path: &str) -> Result<(), Error> {
        self.put(path, &[])
    }

    fn put(&self, path: &str, document: &[u8]) -> Result<(), Error> {
        let (path, document) = (Bytes::of(path.as_bytes()), Bytes::of(document));
        // SAFETY: all arguments are there until it returns.
        asked(|writer| unsafe { (self.table().write)(self.0, path, document, writer) }).map(drop)
    }

    /// Waits for a signal.
    pub(crate) fn next(&self, wait_ms: u64) -> (i32, Vec<u8>) {
        let mut message = Vec::new();
        // SAFETY: both arguments are there until it returns.
        let signal = collect(&mut message, |writer| unsafe { (self.table().next)(self.0, wait_ms, writer) });
        (signal, message)
    }

    /// Says what became of the last signal.
    pub(crate) fn answer(&self, result: &Result<(), Error>) {
        let (status, text) = match result {
            Ok(()) => (abi::OK, ""),
            Err(error) => (error.status, error.text.as_str()),
        };
        // SAFETY: the text is there until it returns.
        unsafe { (self.table().answer)(self.0, status, Bytes::of(text.as_bytes())) }
    }
}

/// A document of the agent's, if it wrote one.
fn document(json: &[u8]) -> Result<Option<Value>, Error> {
    if json.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(json).map(Some).map_err(|error| Error::failed(format!("the agent's answer: {error}")))
}

fn asked(ask: impl FnOnce(&Writer) -> Status) -> Result<Vec<u8>, Error> {
    let mut answer = Vec::new();
    match collect(&mut answer, ask) {
        abi::OK => Ok(answer),
        status => Err(Error { status, text: String::from_utf8_lossy(&answer).into_owned() }),
    }
}

fn collect(answer: &mut Vec<u8>, ask: impl FnOnce(&Writer) -> i32) -> i32 {
    ask(&Writer { context: std::ptr::from_mut(answer).cast(), write: Some(write) })
}

/// `write` of a writer of one's own.
unsafe extern "C" fn write(context: *mut c_void, data: *const u8, len: usize) -> i32 {
    // SAFETY: the context is the answer of a question that has not returned, and there are as many bytes as the agent says.
    unsafe { (*context.cast::<Vec<u8>>()).extend_from_slice(crate::lent::lent(Bytes { data, len })) };
    abi::OK
}
