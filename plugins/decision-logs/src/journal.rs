//! A journal: a bounded queue of records in a directory, which outlives the process.
//!
//! ```text
//! DIRECTORY/lock                      held by the one process that works with the journal
//! DIRECTORY/cursor                    the first record that has not been delivered
//! DIRECTORY/00000000000000000000.log  a segment: records one after the other; named by the number of its first one
//! DIRECTORY/00000000000000004711.log  the newest segment, the only one that grows
//! ```
//!
//! Records are numbered and bear a checksum ([`frame`]). A [`Writer`] appends them and a [`Reader`] gives them out in
//! order, until it is told that they have been delivered. What is delivered but not yet noted as such comes again after a
//! crash: at least once. A new process begins a new segment, so it never writes behind something half-written.
//!
//! Damage costs what is damaged: a reader skips to the next sound record and says how many are missing. Libraries for
//! write-ahead logs refuse such a file, or drop all behind the damage, and have no bound; so this is our own.
//!
//! Everything here blocks.

mod cursor;
mod frame;
mod open;
mod reader;
mod writer;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use open::open;
pub(crate) use reader::Reader;
pub(crate) use writer::{AppendError, Writer};

/// Segments that a full journal has at least, so that making room never costs more than a part of it.
const SEGMENTS: u64 = 8;

/// Most bytes of one segment, unless a single record is larger.
const LARGEST_SEGMENT: u64 = 64 << 20;

/// How a journal works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Most bytes of all segments together.
    pub(crate) limit: u64,
    /// What happens when the limit is reached: new records are refused, or the oldest make room.
    pub(crate) refuses: bool,
    /// Whether files and directories are made to reach the disk at all.
    pub(crate) syncs: bool,
}

impl Rules {
    fn segment(&self) -> u64 {
        (self.limit / SEGMENTS).min(LARGEST_SEGMENT)
    }
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("{} is used by another process; give each agent a disk_directory of its own", .0.display())]
    Locked(PathBuf),
    #[error("cannot keep decisions in {}: {source}", .directory.display())]
    Unusable { directory: PathBuf, source: io::Error },
}

/// What there is, as writer and reader both see it. They work on different threads, and each only looks and notes; so
/// this is behind a lock, which is held while a file is removed at the longest.
struct Shared {
    directory: PathBuf,
    index: Mutex<Index>,
    /// Locked as long as it is open.
    _lock: File,
}

/// INVARIANT: `segments` is in order, and all records of a segment have numbers from its base up to the base of the next
/// one, or up to `next`.
struct Index {
    segments: VecDeque<Segment>,
    /// Number of the next record to be written.
    next: u64,
    /// Number of the next record that the reader gives out.
    read: u64,
    /// Number of the first record that has not been delivered.
    acked: u64,
}

/// A file of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segment {
    /// Number of its first record.
    base: u64,
    /// Bytes of whole records.
    bytes: u64,
}

impl Segment {
    fn path(self, directory: &Path) -> PathBuf {
        directory.join(format!("{:020}.log", self.base))
    }
}

impl Shared {
    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the oldest segment. That the file goes too is tried; if it stays, its records come again after a restart.
    fn remove_oldest(&self, index: &mut Index) -> Option<Segment> {
        let oldest = index.segments.pop_front()?;
        let _left = fs::remove_file(oldest.path(&self.directory));
        Some(oldest)
    }

    /// Removes what has been delivered as far as it fills whole segments.
    fn remove_delivered(&self, index: &mut Index) {
        while index.segments.get(1).is_some_and(|second| second.base <= index.acked) {
            self.remove_oldest(index);
        }
    }
}

impl Index {
    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }
}

/// What waits in a journal. Clones look at the same one.
#[derive(Clone)]
pub(crate) struct Gauge(Arc<Shared>);

impl Gauge {
    /// Records that have not been delivered, and bytes on disk.
    pub(crate) fn read(&self) -> (u64, u64) {
        let index = self.0.index();
        (index.next - index.acked, index.bytes())
    }
}

#[cfg(test)]
mod tests;
