//! What a managed plugin is told, between the future that is its life and the thread on which it runs.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use regent_core::plugin::Reply;
use regent_core::{Error, ErrorKind};

/// Signals that wait for a plugin.
const CAPACITY: usize = 8;

/// A signal.
pub(crate) enum Signal {
    /// End within the time.
    Stop(Duration),
    /// Do now what is otherwise done from time to time.
    Trigger(Asked),
    /// Take the configuration, as JSON.
    Configure(Vec<u8>, Asked),
}

/// Who waits for what becomes of a signal. Of several answers the first one counts.
#[derive(Clone)]
pub(crate) struct Asked(Arc<Mutex<Option<Reply>>>);

impl Asked {
    /// Someone waits for this.
    pub(crate) fn new(reply: Reply) -> Self {
        Self(Arc::new(Mutex::new(Some(reply))))
    }

    /// Answers; whether that was the first time.
    pub(crate) fn answer(&self, result: Result<(), Error>) -> bool {
        let reply = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let is_first = reply.is_some();
        if let Some(reply) = reply {
            reply.send(result);
        }
        is_first
    }
}

/// Where signals wait, and who waits for the last one that was read.
pub(crate) struct Signals {
    /// Gone once nothing more is told.
    sender: Mutex<Option<SyncSender<Signal>>>,
    receiver: Mutex<Receiver<Signal>>,
    asked: Mutex<Option<Asked>>,
}

impl Default for Signals {
    fn default() -> Self {
        let (sender, receiver) = sync_channel(CAPACITY);
        Self { sender: Mutex::new(Some(sender)), receiver: Mutex::new(receiver), asked: Mutex::default() }
    }
}

impl Signals {
    /// Tells the plugin; whether there is room.
    pub(crate) fn send(&self, signal: Signal) -> bool {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        match sender.as_ref().map(|sender| sender.try_send(signal)) {
            Some(Ok(())) => true,
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => false,
        }
    }

    /// Tells the plugin to end, also when nothing else can be told any more.
    pub(crate) fn stop(&self, within: Duration) {
        self.send(Signal::Stop(within));
        self.close();
    }

    /// Tells nothing more. What waits can still be read; after that there is but a stop.
    pub(crate) fn close(&self) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// The next signal, if one comes within the time.
    pub(super) fn next(&self, wait: Duration) -> Option<Signal> {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        let signal = match receiver.recv_timeout(wait) {
            Ok(signal) => signal,
            Err(RecvTimeoutError::Timeout) => return None,
            Err(RecvTimeoutError::Disconnected) => Signal::Stop(Duration::ZERO),
        };
        let asked = match &signal {
            Signal::Stop(_) => None,
            Signal::Trigger(asked) | Signal::Configure(_, asked) => Some(asked.clone()),
        };
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = asked;
        Some(signal)
    }

    /// Answers the last signal that was read.
    pub(super) fn answer(&self, result: Result<(), String>) {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(asked) = asked {
            asked.answer(result.map_err(|why| Error::new(ErrorKind::Refused, why)));
        }
    }
}
