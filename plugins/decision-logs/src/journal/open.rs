//! Finds out what a directory holds, be it left in order or by a crash.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::index::{Index, Segment, Shared, Usage};
use super::reader::Scan;
use super::{OpenError, Reader, Rules, Writer, cursor};

/// A journal that can be used.
pub(crate) struct Opened {
    pub(crate) writer: Writer,
    pub(crate) reader: Reader,
    pub(crate) usage: Usage,
    /// Bytes at the end that were no whole record, and were cut off.
    pub(crate) cut: u64,
}

/// Opens the journal in a directory, which is made if it is missing. Only the owner of the process may read it.
///
/// # Errors
/// When another process uses it, or the disk does not let us.
pub(crate) fn open(directory: &Path, rules: Rules) -> Result<Opened, OpenError> {
    let unusable = |source| OpenError::Unusable { directory: directory.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(unusable)?;
    if rules.syncs {
        sync_names(directory);
    }
    let lock = cursor::create(&directory.join("lock")).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(directory.to_owned())),
        Err(TryLockError::Error(error)) => return Err(unusable(error)),
    }
    let (index, cut) = survey(directory).map_err(unusable)?;
    let shared = Arc::new(Shared { directory: directory.to_owned(), index: Mutex::new(index), _lock: lock });
    shared.remove_delivered(&mut shared.index());
    Ok(Opened {
        writer: Writer::new(shared.clone(), rules),
        reader: Reader::new(shared.clone()),
        usage: Usage(shared),
        cut,
    })
}

/// Makes the names of directories that have just been made reach the disk, as far as their parents may be opened.
fn sync_names(directory: &Path) {
    for parent in directory.ancestors().skip(1).take(3) {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        let _unsynced = File::open(parent).and_then(|parent| parent.sync_all());
    }
}

fn survey(directory: &Path) -> io::Result<(Index, u64)> {
    let mut segments: Vec<Segment> = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let base = entry.file_name().to_str().and_then(|name| name.strip_suffix(".log")?.parse().ok());
        if let Some(base) = base {
            segments.push(Segment { base, bytes: entry.metadata()?.len() });
        }
    }
    segments.sort_unstable_by_key(|segment| segment.base);
    let delivered = cursor::load(directory);
    let mut next = delivered.unwrap_or(0);
    let mut cut = 0;
    if let Some(last) = segments.last_mut() {
        next = next.max(last.base);
        let (end, after) = end_of(*last, directory)?;
        next = next.max(after.unwrap_or(0));
        cut = last.bytes - end;
        if cut > 0 {
            OpenOptions::new().write(true).open(last.path(directory))?.set_len(end)?;
            last.bytes = end;
        }
        if end == 0 {
            fs::remove_file(last.path(directory))?;
            segments.pop();
        }
    }
    let acked = delivered.unwrap_or(0).max(segments.first().map_or(next, |first| first.base));
    Ok((Index { segments: segments.into(), next, read: acked, acked }, cut))
}

/// Where the last sound record of a segment ends, and the number behind its own.
fn end_of(segment: Segment, directory: &Path) -> io::Result<(u64, Option<u64>)> {
    let mut scan = Scan::open(&segment.path(directory), None)?;
    let (mut end, mut after) = (0, None);
    while let Some(record) = scan.next()? {
        (end, after) = (scan.offset(), Some(record.number + 1));
    }
    Ok((end, after))
}
