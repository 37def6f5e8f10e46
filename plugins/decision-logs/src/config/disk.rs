//! `decision_logs.reporting.disk_…`: events that wait on disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::reporting::{BufferType, Reporting, natural};

/// Bytes of one receiver's journal if the configuration does not say.
const DEFAULT_LIMIT: i64 = 1 << 30;

/// Below this a journal has no room for segments.
const SMALLEST_LIMIT: i64 = 65_536;

const DEFAULT_INTERVAL: u64 = 100;

/// The directory below the persistence directory if the configuration does not say.
const DEFAULT_DIRECTORY: &str = "decision_logs";

/// When events are made to reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SyncPolicy {
    /// Before the decision is answered.
    Always,
    /// From time to time.
    Interval(Duration),
    /// When the operating system likes.
    Never,
}

/// How events wait on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Disk {
    /// The directory of all journals.
    pub(crate) directory: PathBuf,
    /// Most bytes of each of them.
    pub(crate) limit: u64,
    /// When events are made to reach the disk.
    pub(crate) sync: SyncPolicy,
    /// Whether a decision that cannot be kept is refused; else it is answered, and the loss counted.
    pub(crate) refuses: bool,
}

impl Disk {
    /// Whether answers wait until their events are on disk.
    pub(crate) fn awaits_acks(&self) -> bool {
        self.sync == SyncPolicy::Always
    }
}

impl Reporting {
    /// How events wait on disk, if they do.
    pub(crate) fn disk(&self, persistence: &Path) -> Option<Disk> {
        (self.buffer_type() == BufferType::Disk).then(|| Disk {
            directory: self.disk_directory.clone().unwrap_or_else(|| persistence.join(DEFAULT_DIRECTORY)),
            limit: natural(self.disk_size_limit_bytes.unwrap_or(DEFAULT_LIMIT)) as u64,
            sync: match self.disk_sync.as_deref() {
                Some("interval") => {
                    SyncPolicy::Interval(Duration::from_millis(self.disk_sync_interval_ms.unwrap_or(DEFAULT_INTERVAL)))
                }
                Some("never") => SyncPolicy::Never,
                _ => SyncPolicy::Always,
            },
            refuses: self.disk_on_failure.as_deref() == Some("refuse"),
        })
    }

    pub(super) fn check_disk(&self, errors: &mut Vec<String>) {
        let mut wrong = |text: String| errors.push(format!("invalid decision_log config, {text}"));
        let keys = [
            ("disk_directory", self.disk_directory.is_some()),
            ("disk_size_limit_bytes", self.disk_size_limit_bytes.is_some()),
            ("disk_sync", self.disk_sync.is_some()),
            ("disk_sync_interval_ms", self.disk_sync_interval_ms.is_some()),
            ("disk_on_failure", self.disk_on_failure.is_some()),
        ];
        let others = [
            ("buffer_size_limit_bytes", self.buffer_size_limit_bytes.is_some()),
            ("buffer_size_limit_events", self.buffer_size_limit_events.is_some()),
            ("max_decisions_per_second", self.max_decisions_per_second.is_some()),
        ];
        let kind = self.buffer_type();
        let unfit = if kind == BufferType::Disk { &others[..] } else { &keys[..] };
        for (key, _) in unfit.iter().filter(|(_, is_set)| *is_set) {
            wrong(format!("'{key}' isn't supported for the {} buffer type", kind.as_str()));
        }
        if self.disk_size_limit_bytes.is_some_and(|limit| limit < SMALLEST_LIMIT) {
            wrong(format!("'disk_size_limit_bytes' must be at least {SMALLEST_LIMIT}"));
        }
        if self.disk_sync_interval_ms == Some(0) {
            wrong("'disk_sync_interval_ms' must be higher than 0".to_owned());
        }
        let sync = self.disk_sync.as_deref();
        if let Some(sync) = sync.filter(|sync| !["always", "interval", "never"].contains(sync)) {
            wrong(format!(r#"invalid 'disk_sync' {sync:?}, expected "always", "interval" or "never""#));
        }
        if self.disk_sync_interval_ms.is_some() && sync != Some("interval") {
            wrong(r#"'disk_sync_interval_ms' needs 'disk_sync' to be "interval""#.to_owned());
        }
        match self.disk_on_failure.as_deref() {
            Some("refuse") if sync.is_some_and(|sync| sync != "always") => {
                wrong(r#"'disk_on_failure' "refuse" needs 'disk_sync' to be "always""#.to_owned());
            }
            None | Some("refuse" | "drop") => {}
            Some(other) => wrong(format!(r#"invalid 'disk_on_failure' {other:?}, expected "refuse" or "drop""#)),
        }
    }
}
