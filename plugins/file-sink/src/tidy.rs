//! What becomes of rolled files: they are compressed, and the oldest are removed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write as _};
use std::num::{NonZeroU64, NonZeroUsize};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use tracing::{info, warn};

use crate::log::Rules;
use crate::rolled::{Names, Rolled};

/// Brings the rolled files into order. Blocks, perhaps for long; ends soon once it is told to stop. What it leaves is
/// done the next time.
pub(crate) fn tidy(rules: &Rules, stop: &Arc<AtomicBool>) {
    let compressed = clear(rules).and_then(|()| if rules.config.compress { compress_all(rules, stop) } else { Ok(()) });
    if stop.load(Ordering::Relaxed) {
        return;
    }
    // Also if the disk is too full for anything to be compressed.
    for error in [compressed, remove_oldest(rules)].into_iter().filter_map(Result::err) {
        let path = rules.config.path.display();
        warn!(plugin = "file_sink", %path, "Old files of decisions cannot be brought into order: {error}");
    }
}

/// Removes what a crash has left: compressed files that are not whole, and files that have been compressed.
fn clear(rules: &Rules) -> io::Result<()> {
    for rolled in rules.names.list()? {
        for path in rolled.unfinished.iter().chain(rolled.plain.iter().filter(|_| rolled.zipped.is_some())) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn compress_all(rules: &Rules, stop: &Arc<AtomicBool>) -> io::Result<()> {
    for plain in rules.names.list()?.into_iter().filter_map(|rolled| rolled.plain) {
        compress(&plain, rules, stop)?;
    }
    Ok(())
}

/// Compresses a file, under another name until it is whole.
fn compress(plain: &Path, rules: &Rules, stop: &Arc<AtomicBool>) -> io::Result<()> {
    let (zipped, unfinished) = Names::zipped(plain);
    let source = match File::open(plain) {
        // Whoever took it away has it now.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        source => Stoppable { file: source?, stop: stop.clone() },
    };
    let made = make_zipped(source, &unfinished, rules.mode).and_then(|()| fs::rename(&unfinished, &zipped));
    if let Err(error) = made {
        let _left_for_the_next_time = fs::remove_file(&unfinished);
        return Err(error);
    }
    rules.sync_names()?;
    fs::remove_file(plain)
}

fn make_zipped(source: Stoppable, path: &Path, mode: u32) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    let mut encoder = GzEncoder::new(file, Compression::default());
    io::copy(&mut BufReader::with_capacity(256 << 10, source), &mut encoder)?;
    let mut file = encoder.finish()?;
    file.flush()?;
    // The name must not lead to less than all of it, and the original is about to go.
    file.sync_all()
}

/// A file that fails to be read once the agent stops.
struct Stoppable {
    file: File,
    stop: Arc<AtomicBool>,
}

impl Read for Stoppable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("the agent stops"));
        }
        self.file.read(buffer)
    }
}

/// Removes the oldest files until the others are within the limits.
fn remove_oldest(rules: &Rules) -> io::Result<()> {
    let mut kept: Vec<(PathBuf, u64)> = Vec::new();
    for path in rules.names.list()?.into_iter().filter_map(Rolled::whole) {
        let bytes = fs::metadata(&path)?.len();
        kept.push((path, bytes));
    }
    let max_files = rules.config.max_files.map_or(usize::MAX, NonZeroUsize::get);
    let max_bytes = rules.config.max_total_bytes.map_or(u64::MAX, NonZeroU64::get);
    let mut all: u64 = kept.iter().map(|(_, bytes)| bytes).sum();
    let mut left = kept.len();
    for (path, bytes) in kept {
        if left <= max_files && all <= max_bytes {
            break;
        }
        fs::remove_file(&path)?;
        let path = path.display();
        info!(plugin = "file_sink", %path, bytes, "Removed an old file of decisions, as configured.");
        all -= bytes;
        left -= 1;
    }
    Ok(())
}

impl Rolled {
    /// The file that holds all of it.
    fn whole(self) -> Option<PathBuf> {
        self.zipped.or(self.plain)
    }
}

#[cfg(test)]
mod tests;
