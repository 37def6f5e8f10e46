//! How large a bundle may be.

/// Limits on what is read. Only the first is OPA's; the others guard against archives made to exhaust memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file, uncompressed: `size_limit_bytes`.
    pub file: u64,
    /// Bytes of everything in the archive, uncompressed, headers included.
    pub total: u64,
    /// Number of entries.
    pub entries: usize,
    /// Bytes of the archive itself, compressed.
    pub archive: usize,
}

impl Limits {
    /// OPA's default for one file: 1 GiB.
    pub const FILE: u64 = 1 << 30;
    /// 4 GiB uncompressed, or four times the limit of one file where that is raised.
    pub const TOTAL: u64 = 4 * Self::FILE;
    /// Half a million entries.
    pub const ENTRIES: usize = 500_000;
    /// 1 GiB compressed.
    pub const ARCHIVE: usize = 1 << 30;

    /// Limits with another one for single files.
    #[must_use]
    pub fn with_file(file: u64) -> Self {
        Self { file, total: Self::TOTAL.max(file.saturating_mul(4)), ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { file: Self::FILE, total: Self::TOTAL, entries: Self::ENTRIES, archive: Self::ARCHIVE }
    }
}
