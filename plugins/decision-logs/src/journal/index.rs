//! What a journal holds: its segments, and how far records have been written, given out and delivered.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What there is, as writer and reader both see it. They work on different threads, and each only looks and notes; so
/// this is behind a lock, which is held while a file is removed at the longest.
pub(super) struct Shared {
    pub(super) directory: PathBuf,
    pub(super) index: Mutex<Index>,
    /// Locked as long as it is open.
    pub(super) _lock: File,
}

/// INVARIANT: `segments` is in order, and all records of a segment have numbers from its base up to the base of the next
/// one, or up to `next`.
pub(super) struct Index {
    pub(super) segments: VecDeque<Segment>,
    /// Number of the next record to be written.
    pub(super) next: u64,
    /// Number of the next record that the reader gives out.
    pub(super) read: u64,
    /// Number of the first record that has not been delivered.
    pub(super) acked: u64,
}

/// A file of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// Number of its first record.
    pub(super) base: u64,
    /// Bytes of whole records.
    pub(super) bytes: u64,
}

impl Segment {
    pub(super) fn path(self, directory: &Path) -> PathBuf {
        directory.join(format!("{:020}.log", self.base))
    }
}

impl Shared {
    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the oldest segment. That the file goes too is tried; if it stays, its records come again after a restart.
    pub(super) fn remove_oldest(&self, index: &mut Index) -> Option<Segment> {
        let oldest = index.segments.pop_front()?;
        let _left = fs::remove_file(oldest.path(&self.directory));
        Some(oldest)
    }

    /// Removes what has been delivered as far as it fills whole segments.
    pub(super) fn remove_delivered(&self, index: &mut Index) {
        while index.segments.get(1).is_some_and(|second| second.base <= index.acked) {
            self.remove_oldest(index);
        }
    }
}

impl Index {
    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }
}

/// What waits in a journal. Clones look at the same one.
#[derive(Clone)]
pub(crate) struct Usage(pub(super) Arc<Shared>);

impl Usage {
    /// Records that have not been delivered, and bytes on disk.
    pub(crate) fn read(&self) -> (u64, u64) {
        let index = self.0.index();
        (index.next - index.acked, index.bytes())
    }
}
