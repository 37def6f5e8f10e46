//! An instance of a plugin: what `create` made, and the calls to it.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use regent_core::engine::Cancel;
use regent_plugin_abi::{Bytes, Status, Writer};
use tokio::time::Instant;

use crate::answer::{Failure, LIMIT, collect};
use crate::calls::Calls;
use crate::exported::Exported;
use crate::host::{Attached, HostSide};
use crate::threads::Threads;

/// What `create` made. Ends when nobody uses it any more and all calls have returned.
pub(crate) struct Instance {
    /// What the plugin gave, which only it understands.
    itself: Itself,
    exported: Arc<Exported>,
    host: &'static HostSide,
    calls: Calls,
}

/// The pointer that a plugin made for itself.
#[derive(Clone, Copy)]
pub(crate) struct Itself(pub(crate) *mut c_void);

// SAFETY: the header asks of plugins that their instances may be used from any thread.
unsafe impl Send for Itself {}
// SAFETY: as above; where calls must come one after the other, the instance has one thread.
unsafe impl Sync for Itself {}

impl Instance {
    /// Makes an instance for a configuration, with at most so many threads.
    pub(crate) fn create(
        exported: &Arc<Exported>,
        attached: Attached,
        config: Vec<u8>,
        threads: usize,
    ) -> Result<Arc<Self>, Failure> {
        let host = HostSide::keep(attached.clone(), exported.grants.clone());
        let calls = Calls::new(Threads::new(exported.name, threads), exported.grants.deadline, attached);
        let create = exported.plugin.create;
        let (given, taken) = std::sync::mpsc::sync_channel(1);
        calls.ask_blocking(Cancel::never(), move || {
            let mut itself = std::ptr::null_mut();
            let made = match create {
                None => Ok(Vec::new()),
                Some(create) => collect(LIMIT, |error| {
                    // SAFETY: all arguments are there until it returns, and the host for longer.
                    unsafe { create(host.table(), Bytes::of(&config), &raw mut itself, error) }
                }),
            };
            let _ = given.send(Itself(itself));
            made
        })?;
        let itself = taken.try_recv().map_err(|_| Failure::Panicked)?;
        let exported = exported.clone();
        Ok(Arc::new(Self { itself, exported, host, calls }))
    }

    /// Its plugin.
    pub(crate) fn exported(&self) -> &Arc<Exported> {
        &self.exported
    }

    /// Its host.
    pub(crate) fn host(&self) -> &'static HostSide {
        self.host
    }

    /// How long a call may take.
    pub(crate) fn deadline(&self) -> Duration {
        self.calls.deadline()
    }

    /// How long it may take to end: no longer than a call, and half of what is left until the agent has to, since others end
    /// after it.
    pub(crate) fn time_to_end(&self, deadline: Instant) -> Duration {
        (deadline.saturating_duration_since(Instant::now()) / 2).min(self.deadline())
    }

    /// Makes a call on a thread of the instance's own, and waits for its answer, at most so long.
    pub(crate) async fn ask_within(
        self: &Arc<Self>,
        deadline: Duration,
        limit: usize,
        call: impl FnOnce(*mut c_void, &Writer) -> Status + Send + 'static,
    ) -> Result<Vec<u8>, Failure> {
        let instance = self.clone();
        self.calls.ask(deadline, move || instance.ask_here(limit, call)).await
    }

    /// The same, as long as any call may take.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        call: impl FnOnce(*mut c_void, &Writer) -> Status + Send + 'static,
    ) -> Result<Vec<u8>, Failure> {
        self.ask_within(self.deadline(), LIMIT, call).await
    }

    /// The same for who may block, as long as somebody waits.
    pub(crate) fn ask_blocking(
        self: &Arc<Self>,
        cancel: &Cancel,
        call: impl FnOnce(*mut c_void, &Writer) -> Status + Send + 'static,
    ) -> Result<Vec<u8>, Failure> {
        let instance = self.clone();
        self.calls.ask_blocking(cancel, move || instance.ask_here(LIMIT, call))
    }

    /// Makes a call on this thread.
    pub(crate) fn ask_here(
        &self,
        limit: usize,
        call: impl FnOnce(*mut c_void, &Writer) -> Status,
    ) -> Result<Vec<u8>, Failure> {
        collect(limit, |writer| call(self.itself.0, writer))
    }

    /// Is at its end: takes no more calls, and whatever of it lives on is told nothing more.
    pub(crate) fn close(&self) {
        self.calls.close();
        self.host.close();
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.host.close();
        let Some(destroy) = self.exported.plugin.destroy else { return };
        let itself = self.itself;
        let ended = crate::aside::within(self.deadline(), move || {
            let itself = itself;
            // SAFETY: all calls have returned, as each of them holds the instance; none follows.
            unsafe { destroy(itself.0) };
        });
        if ended.is_none() {
            tracing::error!(plugin = self.exported.name, "A plugin of a library did not end in time.");
        }
    }
}
