//! Lanes to sinks that take events as they are: the console, or plugins.
//!
//! Events wait in memory ([`MemorySinkLane`]) or in a journal ([`DiskSinkLane`]); what happens when a sink fails is the same
//! ([`Retrier`]).

mod console;
mod disk;
mod memory;
mod named;
mod retrier;

use tokio::time::Instant;

pub(crate) use console::Console;
pub(crate) use disk::DiskSinkLane;
pub(crate) use memory::{Bounds, MemorySinkLane};
pub(crate) use named::NamedSink;
use retrier::Retrier;

use super::{Batch, LaneOrder};

/// What the lane is told.
pub(crate) enum SinkOrder {
    /// Take events.
    Events(Batch),
    /// Deliver what is left before the moment, and end.
    Stop(Instant),
}

impl LaneOrder for SinkOrder {
    fn events(batch: Batch) -> Self {
        Self::Events(batch)
    }

    fn stop(deadline: Instant) -> Self {
        Self::Stop(deadline)
    }
}
