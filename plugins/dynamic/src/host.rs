//! What an instance may ask of the agent: the functions of `regent_host`.

mod meters;
mod services;
mod signals;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use regent_core::value::Path;
use regent_plugin_abi as abi;

pub(crate) use services::in_function;
pub(crate) use signals::{Asked, Signal, Signals};

pub(crate) use crate::attached::Attached;
use meters::Meters;

/// The host of one instance: the table that the instance sees, first, and what stands behind it.
#[repr(C)]
pub(crate) struct HostSide {
    table: abi::Host,
    attached: Attached,
    grants: Grants,
    meters: Meters,
    /// Where the signals of a managed plugin wait.
    pub(crate) signals: Signals,
    /// Whether the instance is still in use. Afterwards all that asks is told that nothing can be had.
    open: AtomicBool,
}

/// What the operator lets the instances of a library do.
#[derive(Debug, Clone)]
pub(crate) struct Grants {
    /// Where they may write.
    pub(crate) write_paths: Vec<Path>,
    /// How long a call may take.
    pub(crate) deadline: Duration,
}

impl HostSide {
    /// The host of an instance; stays for as long as the process lives, since threads of the library may hold on to it.
    pub(crate) fn keep(attached: Attached, grants: Grants) -> &'static Self {
        let (table, meters, signals) = (services::table(), Meters::default(), Signals::default());
        crate::kept::value(Self { table, attached, grants, meters, signals, open: AtomicBool::new(true) })
    }

    /// The table that the instance is given.
    pub(crate) fn table(&'static self) -> *const abi::Host {
        &raw const self.table
    }

    /// Ends what the instance may ask for.
    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::Release);
        self.signals.close();
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// The host behind a table.
    ///
    /// # Safety
    /// `table` is null or was given by [`HostSide::table`].
    unsafe fn behind(table: *const abi::Host) -> Option<&'static Self> {
        // The table is the first field, and the whole stays for as long as the process lives.
        // SAFETY: see above.
        unsafe { table.cast::<Self>().as_ref() }
    }
}
