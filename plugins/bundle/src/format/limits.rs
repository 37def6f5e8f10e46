//! How large a bundle may be.

use super::FormatError;

/// Limits on what is read. Only the first is OPA's; the others guard against archives made to exhaust memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file, uncompressed: `size_limit_bytes`.
    pub file: u64,
    /// Bytes of all files, uncompressed: `size_limit_bytes` as well.
    pub total: u64,
    /// Number of entries.
    pub entries: usize,
    /// Bytes of the archive itself, compressed.
    pub archive: usize,
}

impl Limits {
    /// OPA's default for one file: 1 GiB.
    pub const FILE: u64 = 1 << 30;
    /// 4 GiB uncompressed, unless the configuration has a limit.
    pub const TOTAL: u64 = 4 * Self::FILE;
    /// Half a million entries.
    pub const ENTRIES: usize = 500_000;
    /// 1 GiB compressed, unless the configuration has a limit.
    pub const ARCHIVE: usize = 1 << 30;

    /// Limits for a bundle that may have so many bytes, whatever they are spread over.
    #[must_use]
    pub fn of(size: u64) -> Self {
        let archive = usize::try_from(with_wrapping(size)).unwrap_or(usize::MAX);
        Self { file: size, total: size, archive, ..Self::default() }
    }

    /// Refuses a file of so many bytes if that is too much.
    pub(super) fn check_file(&self, path: &str, size: u64) -> Result<(), FormatError> {
        let limit = self.file;
        if size > limit { Err(FormatError::FileTooLarge { path: path.to_owned(), size, limit }) } else { Ok(()) }
    }

    /// Bytes of the archive, uncompressed: the files with the headers around them.
    pub(super) fn stream(&self) -> u64 {
        with_wrapping(self.total)
    }
}

/// What so many bytes may come to in an archive: headers, padding, and a compression that finds nothing to compress.
fn with_wrapping(size: u64) -> u64 {
    const LEAST: u64 = 64 << 20;
    size.saturating_add(size / 8).saturating_add(LEAST)
}

impl Default for Limits {
    fn default() -> Self {
        Self { file: Self::FILE, total: Self::TOTAL, entries: Self::ENTRIES, archive: Self::ARCHIVE }
    }
}
