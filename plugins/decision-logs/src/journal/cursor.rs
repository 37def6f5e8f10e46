//! The file that says what has been delivered: a number and its checksum, replaced as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

const FILE: &str = "cursor";
const NEW: &str = "cursor.new";

/// The number in the file; nothing if there is none or it is damaged, so that all records come again.
pub(super) fn load(directory: &Path) -> Option<u64> {
    let bytes = fs::read(directory.join(FILE)).ok()?;
    let (number, checksum) = bytes.split_first_chunk::<8>()?;
    (crc32fast::hash(number).to_le_bytes() == *checksum).then(|| u64::from_le_bytes(*number))
}

/// Replaces the file. Not made to reach the disk: an old number only makes records come again.
pub(super) fn save(directory: &Path, number: u64) -> io::Result<()> {
    let number = number.to_le_bytes();
    let mut file = create(&directory.join(NEW))?;
    file.write_all(&number)?;
    file.write_all(&crc32fast::hash(&number).to_le_bytes())?;
    drop(file);
    fs::rename(directory.join(NEW), directory.join(FILE))
}

/// A file for the owner only, empty.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}
