//! What waits for the service, in memory or on disk.

use std::io;

use regent_core::decision::EncodedEvent;

use crate::buffer::{Backlog, Buffer, Chunk, Goal, Limits, Loss};

/// What waits for the service.
pub(crate) enum Waiting {
    /// In memory: the lane is given events.
    Memory(Box<Buffer>),
    /// On disk: a keeper is given events, and the lane reads them.
    Disk(Box<Backlog>),
}

impl Waiting {
    pub(super) fn push(&mut self, events: &[EncodedEvent]) -> Loss {
        match self {
            Self::Memory(buffer) => buffer.push(events),
            Self::Disk(_) => unreachable!("a lane with a keeper is given no events"),
        }
    }

    pub(super) fn goal(&mut self, everything: bool) -> (Goal, Loss) {
        match self {
            Self::Memory(buffer) => buffer.goal(everything),
            Self::Disk(backlog) => (backlog.goal(everything), Loss::default()),
        }
    }

    pub(super) fn take(&mut self, goal: Goal) -> io::Result<Option<Chunk>> {
        match self {
            Self::Memory(buffer) => Ok(buffer.take(goal)),
            Self::Disk(backlog) => backlog.take(goal),
        }
    }

    pub(super) fn put_back(&mut self, chunk: Chunk) -> Loss {
        match self {
            Self::Memory(buffer) => return buffer.put_back(chunk),
            Self::Disk(backlog) => backlog.put_back(chunk),
        }
        Loss::default()
    }

    pub(super) fn delivered(&mut self, chunk: &Chunk) -> io::Result<()> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Disk(backlog) => backlog.delivered(chunk),
        }
    }

    pub(super) fn reconfigure(&mut self, limits: Limits) -> Loss {
        match self {
            Self::Memory(buffer) => return buffer.reconfigure(limits),
            Self::Disk(backlog) => backlog.reconfigure(limits),
        }
        Loss::default()
    }

    /// Whether a chunk has filled up.
    pub(super) fn is_full(&self) -> bool {
        match self {
            Self::Memory(buffer) => buffer.is_full(),
            Self::Disk(backlog) => backlog.is_full(),
        }
    }

    /// Events that have not been delivered, with those of a chunk that is being sent.
    pub(super) fn left(&self, sending: usize) -> u64 {
        match self {
            Self::Memory(buffer) => (buffer.len() + sending) as u64,
            Self::Disk(backlog) => backlog.len(),
        }
    }

    /// Whether what waits outlives the process.
    pub(super) fn is_on_disk(&self) -> bool {
        matches!(self, Self::Disk(_))
    }
}
