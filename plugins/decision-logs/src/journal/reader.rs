//! Gives records out in order, around all that is damaged.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::cursor;
use super::frame::{HEADER, Header, find_mark};
use super::index::{Segment, Shared};

/// Bytes read at once.
const BLOCK: usize = 256 << 10;

/// A sound record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its number; those of one journal increase.
    pub(crate) number: u64,
    pub(crate) payload: Bytes,
}

/// Gives records out, and notes what has been delivered.
pub(crate) struct Reader {
    shared: Arc<Shared>,
    segment: Option<(Segment, Scan)>,
    missing: u64,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, segment: None, missing: 0 }
    }

    /// The next records below the number `until`: as many as there are, but not more than `count`, and no further one
    /// once they have `bytes`.
    pub(crate) fn next(&mut self, until: u64, count: usize, bytes: usize) -> io::Result<Vec<Record>> {
        let (mut records, mut size) = (Vec::new(), 0);
        while records.len() < count && size < bytes && self.position() < until {
            let Some(record) = self.one()? else { break };
            size += record.payload.len();
            records.push(record);
        }
        Ok(records)
    }

    /// Number of the next record that is given out.
    pub(crate) fn position(&self) -> u64 {
        self.shared.index().read
    }

    /// Number behind that of the newest record.
    pub(crate) fn end(&self) -> u64 {
        self.shared.index().next
    }

    /// Bytes that have not been given out, roughly.
    pub(crate) fn ahead(&self) -> u64 {
        let index = self.shared.index();
        if index.read >= index.next {
            return 0;
        }
        let newer = index.segments.iter().filter(|segment| segment.base > index.read).map(|segment| segment.bytes);
        let newer: u64 = newer.sum();
        let present = self.segment.as_ref().and_then(|(segment, scan)| {
            let bytes = index.segments.iter().find(|other| other.base == segment.base)?.bytes;
            Some(bytes.saturating_sub(scan.offset()))
        });
        newer + present.unwrap_or_else(|| index.bytes().saturating_sub(newer))
    }

    /// Notes that all records below the number have been delivered; they will not come again.
    pub(crate) fn delivered(&mut self, below: u64) -> io::Result<()> {
        {
            let mut index = self.shared.index();
            if below <= index.acked {
                return Ok(());
            }
            index.acked = below.min(index.next);
            self.shared.remove_delivered(&mut index);
        }
        cursor::save(&self.shared.directory, below)
    }

    /// Records since the last call that are gone because of damage.
    pub(crate) fn missing(&mut self) -> u64 {
        std::mem::take(&mut self.missing)
    }

    fn one(&mut self) -> io::Result<Option<Record>> {
        while self.enter()? {
            let Some((_, scan)) = &mut self.segment else { break };
            let Some(record) = scan.next()? else {
                self.leave();
                continue;
            };
            let mut index = self.shared.index();
            let base = self.segment.as_ref().map_or(0, |(segment, _)| segment.base);
            // What a failed write left behind a segment has numbers that were given again.
            let end = index.segments.iter().find(|later| later.base > base).map_or(index.next, |later| later.base);
            if (index.read..end).contains(&record.number) {
                self.missing += record.number - index.read;
                index.read = record.number + 1;
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Goes to the segment of the next record, as far as it has been written; false if there is no further record.
    fn enter(&mut self) -> io::Result<bool> {
        loop {
            let mut index = self.shared.index();
            // If the writer made room, it has counted that.
            index.read = index.segments.front().map_or(index.read, |first| first.base.max(index.read));
            if index.read >= index.next {
                return Ok(false);
            }
            let Some(at) = index.segments.iter().rposition(|segment| segment.base <= index.read) else {
                return Ok(false);
            };
            let (segment, grows) = (index.segments[at], at + 1 == index.segments.len());
            drop(index);
            if let Some((_, scan)) = self.segment.as_mut().filter(|(present, _)| present.base == segment.base) {
                scan.end = scan.end.max(segment.bytes);
                return Ok(true);
            }
            match Scan::open(&segment.path(&self.shared.directory), grows.then_some(segment.bytes)) {
                Ok(scan) => {
                    self.segment = Some((segment, scan));
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.skip(segment),
                Err(error) => return Err(error),
            }
        }
    }

    /// Leaves a segment in which there is nothing sound any more, unless more has been written in the meantime.
    fn leave(&mut self) {
        if let Some((segment, scan)) = self.segment.take() {
            let grown = self.shared.index().segments.iter().any(|s| s.base == segment.base && s.bytes > scan.end);
            if grown {
                self.segment = Some((segment, scan));
            } else {
                self.skip(segment);
            }
        }
    }

    /// Goes on behind a segment; what should still have come from it is missing.
    fn skip(&mut self, gone: Segment) {
        let mut index = self.shared.index();
        // If the writer removed it, it is no longer among the segments, and was counted.
        if let Some(at) = index.segments.iter().position(|segment| segment.base == gone.base) {
            let after = index.segments.get(at + 1).map_or(index.next, |segment| segment.base);
            self.missing += after.saturating_sub(index.read);
            index.read = index.read.max(after);
        }
    }
}

/// Reads the sound records of one file.
pub(super) struct Scan {
    file: File,
    /// Bytes of the file that may be read.
    end: u64,
    /// Where the next record is looked for.
    at: u64,
    /// A part of the file, and where it begins.
    window: Vec<u8>,
    window_at: u64,
}

impl Scan {
    /// A file, up to an end; all of it, if it does not grow.
    pub(super) fn open(path: &Path, end: Option<u64>) -> io::Result<Self> {
        let file = File::open(path)?;
        let end = end.map_or_else(|| file.metadata().map(|file| file.len()), Ok)?;
        Ok(Self { file, end, at: 0, window: Vec::new(), window_at: 0 })
    }

    /// Behind the last record that was given out, or behind what is known to be damaged.
    pub(super) fn offset(&self) -> u64 {
        self.at
    }

    /// The next sound record before the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        while self.at < self.end {
            if let Some(record) = self.sound()? {
                self.at += (HEADER + record.payload.len()) as u64;
                return Ok(Some(record));
            }
            self.skip_to_mark()?;
        }
        Ok(None)
    }

    /// The record here, if a sound one is here.
    fn sound(&mut self) -> io::Result<Option<Record>> {
        let Some(header) = Header::read(self.look(HEADER)?) else { return Ok(None) };
        let whole = HEADER + header.length();
        if self.at + whole as u64 > self.end {
            return Ok(None);
        }
        let Some(payload) = self.look(whole)?.get(HEADER..whole) else { return Ok(None) };
        let payload = Bytes::copy_from_slice(payload);
        Ok(header.is_sound(&payload).then_some(Record { number: header.number, payload }))
    }

    /// Goes to the next place where a record may begin.
    fn skip_to_mark(&mut self) -> io::Result<()> {
        self.at += 1;
        while self.at < self.end {
            let seen = self.look(HEADER)?;
            if let Some(found) = find_mark(seen, 0) {
                self.at += found as u64;
                return Ok(());
            }
            let seen = seen.len() as u64;
            // Nothing to see means that the file is shorter than it should be.
            self.at = if seen == 0 { self.end } else { self.at + seen };
        }
        Ok(())
    }

    /// What stands here: at least so many bytes, or all up to the end.
    fn look(&mut self, wanted: usize) -> io::Result<&[u8]> {
        let have = |scan: &Self| scan.window.len() as u64 + scan.window_at;
        let wanted_end = self.end.min(self.at + wanted as u64);
        if self.at < self.window_at || have(self) < wanted_end {
            let size = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(wanted.max(BLOCK));
            self.window.resize(size, 0);
            self.window_at = self.at;
            let read = fill(&self.file, &mut self.window, self.at)?;
            self.window.truncate(read);
        }
        let from = usize::try_from(self.at - self.window_at).unwrap_or(usize::MAX);
        Ok(self.window.get(from..).unwrap_or_default())
    }
}

/// Reads until the buffer is full or the file ends; says how many bytes there were.
fn fill(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
