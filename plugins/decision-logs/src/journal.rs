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
mod index;
mod open;
mod reader;
mod writer;

use std::io;
use std::path::PathBuf;

pub(crate) use index::Usage;
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

#[cfg(test)]
mod tests;
