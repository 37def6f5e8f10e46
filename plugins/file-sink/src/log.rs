//! The file that lines are appended to, until it is rolled.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write as _};
use std::num::NonZeroU64;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use regent_core::decision::EncodedEvent;
use tracing::warn;

use crate::config::Config;
use crate::error::FileError;
use crate::rolled::Names;

/// Bytes of a line's end that are looked for at once.
const BLOCK: usize = 64 << 10;

/// How files are written, once everything has been said.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) config: Config,
    pub(crate) names: Names,
    pub(crate) mode: u32,
}

/// Appends lines, and rolls files. Blocks.
pub(crate) struct Log {
    rules: Arc<Rules>,
    current: Option<Current>,
    /// Events of a batch that failed further on, and are in files that have been rolled since.
    taken: Vec<EncodedEvent>,
    rolls: u64,
}

/// The file that lines are appended to. It is locked, so that no other process cuts off what this one writes.
struct Current {
    file: File,
    bytes: u64,
    /// When it was begun.
    since: SystemTime,
}

impl Rules {
    pub(crate) fn new(config: Config) -> Self {
        let names = Names::of(&config.path);
        let mode = config.mode().expect("it has been validated");
        Self { config, names, mode }
    }

    fn max_bytes(&self) -> u64 {
        self.config.max_size_bytes.map_or(u64::MAX, NonZeroU64::get)
    }

    /// Makes names in the directory reach the disk, if that is wanted.
    pub(crate) fn sync_names(&self) -> io::Result<()> {
        if self.config.sync { File::open(&self.names.directory)?.sync_all() } else { Ok(()) }
    }
}

impl Log {
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        Self { rules, current: None, taken: Vec::new(), rolls: 0 }
    }

    /// How many files have been rolled.
    pub(crate) fn rolls(&self) -> u64 {
        self.rolls
    }

    /// How long it is until the file is old enough to be rolled; nothing if it never will be.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        let max_age = self.rules.config.max_age()?;
        let current = self.current.as_ref().filter(|current| current.bytes > 0)?;
        Some(max_age.saturating_sub(current.since.elapsed().unwrap_or_default()))
    }

    /// Appends a line for each event: all of them, or none that would come twice if the same events came again.
    ///
    /// # Errors
    /// When the disk fails. Trying again later may help.
    pub(crate) fn append(&mut self, events: &[EncodedEvent]) -> Result<(), FileError> {
        let mut at = if events.starts_with(&self.taken) { self.taken.len() } else { 0 };
        while let Some(next) = events.get(at) {
            self.roll_if_old()?;
            let rules = self.rules.clone();
            let current = self.open()?;
            let room = rules.max_bytes().saturating_sub(current.bytes);
            if current.bytes > 0 && line_bytes(next) > room {
                self.roll()?;
                continue;
            }
            let (lines, count) = lines(&events[at..], room);
            if let Err(error) = current.append(&lines, rules.config.sync) {
                // Who opens a file cuts off what is no whole line.
                self.current = None;
                return Err(rules.failed_write(error));
            }
            at += count;
            self.taken = events[..at].to_vec();
        }
        self.taken.clear();
        Ok(())
    }

    /// Begins the next file if the present one is old enough.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn roll_if_old(&mut self) -> Result<(), FileError> {
        if self.time_left() == Some(Duration::ZERO) {
            self.open()?;
            // It may be another one by now.
            if self.time_left() == Some(Duration::ZERO) {
                self.roll()?;
            }
        }
        Ok(())
    }

    /// Lets go of the file and opens what is at its path now, or makes it.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn reopen(&mut self) -> Result<(), FileError> {
        self.current = None;
        self.open().map(|_| ())
    }

    /// The file at the path, with what others did to it since the last time.
    fn open(&mut self) -> Result<&mut Current, FileError> {
        let path = &self.rules.config.path;
        let present = self.current.take().and_then(|current| current.still_at(path));
        let current = match present {
            Some(current) => current,
            None => Current::open(&self.rules)?,
        };
        Ok(self.current.insert(current))
    }

    fn roll(&mut self) -> Result<(), FileError> {
        let rules = &self.rules;
        let rename = || {
            let target = rules.names.next(Timestamp::now())?;
            fs::rename(&rules.config.path, target)?;
            rules.sync_names()
        };
        rename().map_err(|error| FileError::Roll(rules.config.path.clone(), error))?;
        self.current = None;
        self.rolls += 1;
        Ok(())
    }
}

impl Rules {
    fn failed_write(&self, error: io::Error) -> FileError {
        FileError::Write(self.config.path.clone(), error)
    }
}

impl Current {
    fn open(rules: &Rules) -> Result<Self, FileError> {
        let (path, directory) = (&rules.config.path, &rules.names.directory);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|error| FileError::Directory(directory.clone(), error))?;
        let unopened = |error| FileError::Open(path.clone(), error);
        let present = fs::metadata(path).ok();
        if present.as_ref().is_some_and(|file| !file.is_file()) {
            return Err(FileError::Kind(path.clone()));
        }
        let file = OpenOptions::new().read(true).append(true).create(true).mode(rules.mode).open(path);
        let file = file.map_err(unopened)?;
        // Where files cannot be locked, nobody else can be kept away.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(FileError::Taken(path.clone()));
        }
        if present.is_none() {
            // What the process's mask has taken away.
            file.set_permissions(Permissions::from_mode(rules.mode)).map_err(unopened)?;
            rules.sync_names().map_err(unopened)?;
        }
        let cut = mend(&file).map_err(|error| rules.failed_write(error))?;
        if cut > 0 {
            let path = path.display();
            warn!(plugin = "file_sink", %path, bytes = cut, "The file ended with a part of a line, which is cut off.");
        }
        let about = file.metadata().map_err(unopened)?;
        let since = about.created().or_else(|_| about.modified());
        let since = since.ok().filter(|_| about.len() > 0).unwrap_or_else(SystemTime::now);
        Ok(Self { file, bytes: about.len(), since })
    }

    /// Itself, if it is still what the path leads to, with the size that it has now: others may have emptied it.
    fn still_at(mut self, path: &Path) -> Option<Self> {
        let (there, here) = (fs::metadata(path).ok()?, self.file.metadata().ok()?);
        self.bytes = here.len();
        ((there.dev(), there.ino()) == (here.dev(), here.ino())).then_some(self)
    }

    /// Appends whole lines, or nothing.
    fn append(&mut self, lines: &[u8], sync: bool) -> io::Result<()> {
        if self.bytes == 0 {
            self.since = SystemTime::now();
        }
        let written = self.file.write_all(lines).and_then(|()| if sync { self.file.sync_data() } else { Ok(()) });
        match written {
            Ok(()) => self.bytes += lines.len() as u64,
            Err(_) if self.file.metadata()?.len() > self.bytes => self.file.set_len(self.bytes)?,
            Err(_) => {}
        }
        written
    }
}

/// Lines for the first of the events, as many as there is room for but at least one, and their number.
fn lines(events: &[EncodedEvent], room: u64) -> (Vec<u8>, usize) {
    let (mut text, mut count) = (Vec::new(), 0);
    for event in events {
        if count > 0 && text.len() as u64 + line_bytes(event) > room {
            break;
        }
        text.extend_from_slice(event.json());
        text.push(b'\n');
        count += 1;
    }
    (text, count)
}

fn line_bytes(event: &EncodedEvent) -> u64 {
    event.json().len() as u64 + 1
}

/// Cuts off what stands behind the last whole line, and says how many bytes that were.
fn mend(file: &File) -> io::Result<u64> {
    let bytes = file.metadata()?.len();
    let mut block = vec![0; BLOCK];
    let mut end = bytes;
    while end > 0 {
        let begin = end.saturating_sub(BLOCK as u64);
        let block = &mut block[..usize::try_from(end - begin).expect("it is a block at most")];
        file.read_exact_at(block, begin)?;
        if let Some(newline) = block.iter().rposition(|byte| *byte == b'\n') {
            end = begin + newline as u64 + 1;
            break;
        }
        end = begin;
    }
    if end < bytes {
        file.set_len(end)?;
    }
    Ok(bytes - end)
}

#[cfg(test)]
mod tests;
