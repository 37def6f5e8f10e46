//! What waits for the service: closed chunks, and before them the events that will become chunks.
//!
//! Both kinds of OPA's are in [`MemoryBuffer`]; with `buffer_type: disk` events wait in a journal ([`DiskBuffer`]).

mod chunk;
mod disk;
mod encoder;
mod memory;

use std::io;

use regent_core::decision::EncodedEvent;

pub(super) use chunk::Chunk;
pub(crate) use disk::DiskBuffer;
pub(crate) use memory::MemoryBuffer;

use crate::config::{BufferType, Reporting};

/// Bounds of a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    kind: BufferType,
    upload: usize,
    bytes: usize,
    events: usize,
}

impl Limits {
    pub(crate) fn of(reporting: &Reporting) -> Self {
        Self {
            kind: reporting.buffer_type(),
            upload: reporting.upload_limit(),
            bytes: reporting.buffered_bytes(),
            events: reporting.buffered_events(),
        }
    }
}

/// What a round of uploads takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Goal {
    /// Number of the first event that is none of the round's.
    pub(crate) until: u64,
    /// Whether the last chunk may be smaller than it could be.
    pub(crate) partial: bool,
}

/// What one operation did to events that should have been kept.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loss {
    /// Chunks that made room.
    pub(crate) chunks: u64,
    /// Events that made room in an event buffer.
    pub(crate) events: u64,
}

/// What waits for the service.
pub(crate) enum UploadBuffer {
    /// In memory: the lane is given events.
    Memory(Box<MemoryBuffer>),
    /// On disk: an appender is given events, and the lane reads them.
    Disk(Box<DiskBuffer>),
}

impl UploadBuffer {
    pub(super) fn push(&mut self, events: &[EncodedEvent]) -> Loss {
        match self {
            Self::Memory(buffer) => buffer.push(events),
            Self::Disk(_) => unreachable!("a lane with an appender is given no events"),
        }
    }

    pub(super) fn goal(&mut self, everything: bool) -> (Goal, Loss) {
        match self {
            Self::Memory(buffer) => buffer.goal(everything),
            Self::Disk(buffer) => (buffer.goal(everything), Loss::default()),
        }
    }

    pub(super) fn take(&mut self, goal: Goal) -> io::Result<Option<Chunk>> {
        match self {
            Self::Memory(buffer) => Ok(buffer.take(goal)),
            Self::Disk(buffer) => buffer.take(goal),
        }
    }

    pub(super) fn put_back(&mut self, chunk: Chunk) -> Loss {
        match self {
            Self::Memory(buffer) => return buffer.put_back(chunk),
            Self::Disk(buffer) => buffer.put_back(chunk),
        }
        Loss::default()
    }

    pub(super) fn delivered(&mut self, chunk: &Chunk) -> io::Result<()> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Disk(buffer) => buffer.delivered(chunk),
        }
    }

    pub(super) fn reconfigure(&mut self, limits: Limits) -> Loss {
        match self {
            Self::Memory(buffer) => return buffer.reconfigure(limits),
            Self::Disk(buffer) => buffer.reconfigure(limits),
        }
        Loss::default()
    }

    /// Whether a chunk has filled up.
    pub(super) fn is_full(&self) -> bool {
        match self {
            Self::Memory(buffer) => buffer.is_full(),
            Self::Disk(buffer) => buffer.is_full(),
        }
    }

    /// Events that have not been delivered, with those of a chunk that is being sent.
    pub(super) fn left(&self, sending: usize) -> u64 {
        match self {
            Self::Memory(buffer) => (buffer.len() + sending) as u64,
            Self::Disk(buffer) => buffer.len(),
        }
    }

    /// Whether what waits outlives the process.
    pub(super) fn is_on_disk(&self) -> bool {
        matches!(self, Self::Disk(_))
    }
}
