//! Appends records, and makes room for them.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;

use super::index::{Segment, Shared};
use super::{Rules, frame};

/// Appends records. Who reads them may run at the same time.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    rules: Rules,
    /// The segment that grows, once there is something to write.
    file: Option<File>,
}

/// What appending did to older records.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    /// Records that made room and had not been given out yet.
    pub(crate) dropped: u64,
}

/// Why records are not in the journal. Those of the same call that stood before them may be.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum AppendError {
    #[error("the journal of decisions has reached its limit of {limit} bytes, and nothing takes them out")]
    Full { limit: u64 },
    #[error("an event of {size} bytes is larger than the journal of decisions may become ({limit} bytes)")]
    TooLarge { size: u64, limit: u64 },
    #[error("cannot write decisions to {directory}: {why}")]
    Disk { directory: String, why: String },
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, rules: Rules) -> Self {
        Self { shared, rules, file: None }
    }

    /// Appends payloads, which are UTF-8. They are in the hands of the operating system then, and given out.
    ///
    /// # Errors
    /// When they do not fit by the rules or the disk fails. Later calls may succeed.
    pub(crate) fn append<'a>(
        &mut self,
        payloads: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Result<Appended, AppendError> {
        self.forget_delivered();
        self.check(payloads.clone())?;
        let mut appended = Appended::default();
        let mut text = Vec::new();
        let mut count = 0;
        for payload in payloads {
            let filled = self.present() + text.len() as u64;
            if filled > 0 && filled + frame::size(payload) > self.rules.segment() {
                appended.dropped += self.flush(&mut text, &mut count)?;
                self.end_segment()?;
            }
            frame::write(&mut text, self.shared.index().next + count, payload);
            count += 1;
        }
        appended.dropped += self.flush(&mut text, &mut count)?;
        Ok(appended)
    }

    /// Returns when all that was appended is on disk.
    ///
    /// # Errors
    /// When it may not be.
    pub(crate) fn sync(&mut self) -> Result<(), AppendError> {
        let Some(file) = &self.file else { return Ok(()) };
        let synced = file.sync_data();
        // What the system could not write it may have forgotten, and would call written the next time.
        synced.map_err(|error| {
            self.file = None;
            self.failed(&error)
        })
    }

    /// All that was ever written is delivered, so its file can go, however large it is.
    fn forget_delivered(&mut self) {
        let mut index = self.shared.index();
        if index.acked >= index.next && index.bytes() > self.rules.segment() / 2 {
            self.file = None;
            while self.shared.remove_oldest(&mut index).is_some() {}
        }
    }

    fn check<'a>(&self, payloads: impl Iterator<Item = &'a [u8]>) -> Result<(), AppendError> {
        let limit = self.rules.limit;
        let mut all = 0;
        for payload in payloads {
            let size = frame::size(payload);
            if size > limit {
                return Err(AppendError::TooLarge { size, limit });
            }
            all += size;
        }
        let is_full = self.rules.refuses && self.shared.index().bytes() + all > limit;
        if is_full { Err(AppendError::Full { limit }) } else { Ok(()) }
    }

    /// Bytes of the segment that grows.
    fn present(&self) -> u64 {
        let index = self.shared.index();
        index.segments.back().filter(|_| self.file.is_some()).map_or(0, |segment| segment.bytes)
    }

    /// Writes whole records, and says how many older ones had to make room.
    fn flush(&mut self, text: &mut Vec<u8>, count: &mut u64) -> Result<u64, AppendError> {
        if text.is_empty() {
            return Ok(0);
        }
        let dropped = self.make_room(text.len() as u64);
        let written = self.write(text).map_err(|error| self.failed(&error));
        if written.is_ok() {
            let mut index = self.shared.index();
            index.next += *count;
            if let Some(segment) = index.segments.back_mut() {
                segment.bytes += text.len() as u64;
            }
        }
        text.clear();
        *count = 0;
        written.map(|()| dropped)
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.begin_segment()?,
        };
        match file.write_all(text) {
            Ok(()) => {
                self.file = Some(file);
                Ok(())
            }
            Err(error) => {
                // Without half a record at its end the segment can go on; else the next one begins.
                let end = self.shared.index().segments.back().map_or(0, |segment| segment.bytes);
                if file.set_len(end).is_ok() {
                    self.file = Some(file);
                }
                Err(error)
            }
        }
    }

    fn begin_segment(&mut self) -> io::Result<File> {
        let directory = &self.shared.directory;
        let mut index = self.shared.index();
        let segment = Segment { base: index.next, bytes: 0 };
        // One that got no record, because the disk failed at once, is begun anew.
        index.segments.pop_back_if(|last| last.base == segment.base);
        let path = segment.path(directory);
        let file = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        file.set_len(0)?;
        if self.rules.syncs {
            File::open(directory)?.sync_all()?;
        }
        index.segments.push_back(segment);
        Ok(file)
    }

    fn end_segment(&mut self) -> Result<(), AppendError> {
        let synced = if self.rules.syncs { self.sync() } else { Ok(()) };
        self.file = None;
        synced
    }

    /// Drops the oldest segments until so many bytes fit; says how many records that were not given out yet went.
    fn make_room(&mut self, bytes: u64) -> u64 {
        let mut index = self.shared.index();
        let mut dropped = 0;
        while index.bytes() + bytes > self.rules.limit {
            let Some(oldest) = self.shared.remove_oldest(&mut index) else { break };
            let after = index.segments.front().map_or(index.next, |first| first.base);
            dropped += after - oldest.base.max(index.read).min(after);
            index.read = index.read.max(after);
            index.acked = index.acked.max(after);
            if index.segments.is_empty() {
                self.file = None;
            }
        }
        dropped
    }

    fn failed(&self, error: &io::Error) -> AppendError {
        AppendError::Disk { directory: self.shared.directory.display().to_string(), why: error.to_string() }
    }
}
