//! `decision_logs.reporting`: when events are uploaded, in which pieces, and what waits.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use regent_core::plugin::TriggerMode;
use schemars::JsonSchema;
use serde::Deserialize;

const DEFAULT_MIN_DELAY: u64 = 300;
const DEFAULT_MAX_DELAY: u64 = 600;
const DEFAULT_UPLOAD_LIMIT: i64 = 32_768;
const UPLOAD_LIMITS: RangeInclusive<i64> = 90..=4_294_967_296;
const DEFAULT_BUFFERED_EVENTS: i64 = 10_000;

/// Bytes of closed chunks that wait if the configuration does not say. OPA has no limit here; an agent whose log
/// service is away for long should lose its oldest records rather than its memory.
const DEFAULT_BUFFERED_BYTES: i64 = 256 << 20;

/// Shortest wait between two uploads, so that delays of zero seconds do not become a spin.
const SHORTEST_DELAY: Duration = Duration::from_millis(50);

/// Longest wait between two uploads: clocks do not go further than they can count.
const LONGEST_DELAY: Duration = Duration::from_hours(100 * 365 * 24);

/// What the buffer counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum BufferType {
    /// Bytes of compressed chunks. Events are encoded when they come.
    #[default]
    Size,
    /// Events. They are compressed when they are uploaded.
    Event,
    /// Bytes of journals on disk, which outlive the process; Regent's own.
    Disk,
}

/// What makes an upload happen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// The clock.
    #[default]
    Periodic,
    /// A full chunk, or the clock.
    Immediate,
    /// Only a call.
    Manual,
}

impl BufferType {
    /// As it is configured.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Event => "event",
            Self::Disk => "disk",
        }
    }
}

impl Trigger {
    /// As it is configured.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Periodic => "periodic",
            Self::Immediate => "immediate",
            Self::Manual => "manual",
        }
    }
}

/// When and in which pieces events are uploaded.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Reporting {
    /// Shortest wait between two uploads, 300 if absent.
    pub(crate) min_delay_seconds: Option<u64>,
    /// Longest wait between two uploads, 600 if absent.
    pub(crate) max_delay_seconds: Option<u64>,
    /// Most bytes of one upload, compressed; 32768 if absent.
    pub(crate) upload_size_limit_bytes: Option<i64>,
    /// `size`, `event` or `disk`; `size` if absent.
    pub(crate) buffer_type: Option<String>,
    /// Bytes of compressed chunks that may wait, 256 MiB if absent; only with `buffer_type: size`. For plugins, bytes of
    /// events.
    pub(crate) buffer_size_limit_bytes: Option<i64>,
    /// Events that may wait, 10000 if absent; only with `buffer_type: event`.
    pub(crate) buffer_size_limit_events: Option<i64>,
    /// The directory of journals, `decision_logs` below `persistence_directory` if absent; this and the following keys
    /// only with `buffer_type: disk`.
    pub(crate) disk_directory: Option<PathBuf>,
    /// Bytes of each receiver's journal, 1 GiB if absent.
    pub(crate) disk_size_limit_bytes: Option<i64>,
    /// `always`: an answer waits until its event is on disk; `interval`: the disk is waited for from time to time;
    /// `never`: that is left to the operating system. `always` if absent.
    pub(crate) disk_sync: Option<String>,
    /// Milliseconds between two waits for the disk, 100 if absent; only with `disk_sync: interval`.
    pub(crate) disk_sync_interval_ms: Option<u64>,
    /// What becomes of a decision whose event cannot be kept: `refuse` answers 500 and keeps all older events, `drop`
    /// answers as if nothing were wrong, counts the loss, and drops the oldest events of a full journal. `drop` if absent.
    pub(crate) disk_on_failure: Option<String>,
    /// Events taken per second at most; without limit if absent.
    pub(crate) max_decisions_per_second: Option<f64>,
    /// `periodic`, `immediate` or `manual`; `periodic` if absent.
    pub(crate) trigger: Option<String>,
}

impl Reporting {
    /// What the buffer counts.
    pub(crate) fn buffer_type(&self) -> BufferType {
        match self.buffer_type.as_deref() {
            Some("event") => BufferType::Event,
            Some("disk") => BufferType::Disk,
            _ => BufferType::Size,
        }
    }

    /// What makes an upload happen.
    pub(crate) fn trigger(&self) -> Trigger {
        match self.trigger.as_deref() {
            Some("immediate") => Trigger::Immediate,
            Some("manual") => Trigger::Manual,
            _ => Trigger::Periodic,
        }
    }

    /// Shortest and longest wait between two uploads.
    pub(crate) fn delays(&self) -> RangeInclusive<Duration> {
        let seconds = |value: Option<u64>, default| {
            Duration::from_secs(value.unwrap_or(default)).clamp(SHORTEST_DELAY, LONGEST_DELAY)
        };
        seconds(self.min_delay_seconds, DEFAULT_MIN_DELAY)..=seconds(self.max_delay_seconds, DEFAULT_MAX_DELAY)
    }

    /// Most bytes of one upload, compressed.
    pub(crate) fn upload_limit(&self) -> usize {
        let limit = self.upload_size_limit_bytes.unwrap_or(DEFAULT_UPLOAD_LIMIT);
        natural(limit.clamp(*UPLOAD_LIMITS.start(), *UPLOAD_LIMITS.end()))
    }

    /// What to tell whoever set an upload limit outside of what is possible, in OPA's words.
    pub(crate) fn upload_limit_warning(&self) -> Option<String> {
        let limit = self.upload_size_limit_bytes.filter(|limit| !UPLOAD_LIMITS.contains(limit))?;
        let (which, bound) = if limit < *UPLOAD_LIMITS.start() {
            ("minimum", UPLOAD_LIMITS.start())
        } else {
            ("maximum", UPLOAD_LIMITS.end())
        };
        Some(format!("the configured `upload_size_limit_bytes` ({limit}) has been set to the {which} limit ({bound})"))
    }

    /// Bytes of compressed chunks that may wait.
    pub(crate) fn buffered_bytes(&self) -> usize {
        natural(self.buffer_size_limit_bytes.unwrap_or(DEFAULT_BUFFERED_BYTES))
    }

    /// Events that may wait.
    pub(crate) fn buffered_events(&self) -> usize {
        natural(self.buffer_size_limit_events.unwrap_or(DEFAULT_BUFFERED_EVENTS))
    }

    /// Takes the mode of discovery if it has none of its own, which must be the same.
    pub(super) fn follow(&mut self, discovery: Option<TriggerMode>, errors: &mut Vec<String>) {
        match self.trigger.as_deref() {
            None | Some("") => self.trigger = discovery.map(|mode| mode.as_str().to_owned()),
            Some("periodic" | "manual") => {
                let mode = TriggerMode::of(self.trigger.as_deref(), discovery);
                errors.extend(mode.err().map(|why| format!("invalid decision_log config: {why}")));
            }
            Some(_) => {}
        }
    }

    pub(super) fn check(&self, errors: &mut Vec<String>) {
        self.check_delays(errors);
        self.check_buffer(errors);
        self.check_disk(errors);
        if let Some(mode) = &self.trigger
            && !["periodic", "immediate", "manual"].contains(&mode.as_str())
        {
            let wanted = r#"want "periodic", "immediate" or "manual""#;
            errors.push(format!("invalid decision_log config: invalid trigger mode {mode:?} ({wanted})"));
        }
    }

    fn check_delays(&self, errors: &mut Vec<String>) {
        let missing = |key| format!("reporting configuration missing '{key}' in decision_logs");
        match (self.min_delay_seconds, self.max_delay_seconds) {
            (Some(min), Some(max)) if max < min => {
                errors.push("max reporting delay must be >= min reporting delay in decision_logs".to_owned());
            }
            (Some(_), None) => errors.push(missing("max_delay_seconds")),
            (None, Some(_)) => errors.push(missing("min_delay_seconds")),
            _ => {}
        }
    }

    fn check_buffer(&self, errors: &mut Vec<String>) {
        let mut wrong = |text: &str| errors.push(format!("invalid decision_log config, {text}"));
        match self.buffer_type() {
            BufferType::Disk => {}
            BufferType::Event => {
                if self.buffer_size_limit_bytes.is_some() {
                    wrong("'buffer_size_limit_bytes' isn't supported for the event buffer type");
                }
                if self.buffer_size_limit_events.is_some_and(|limit| limit <= 0) {
                    wrong("'buffer_size_limit_entries' must be higher than 0");
                }
            }
            BufferType::Size => {
                if self.buffer_size_limit_events.is_some() {
                    wrong("'buffer_size_limit_events' isn't supported for the size buffer type");
                }
                if self.buffer_size_limit_bytes.is_some_and(|limit| limit <= 0) {
                    wrong("'buffer_size_limit_bytes' must be higher than 0");
                }
            }
        }
        if self.buffer_size_limit_bytes.is_some() && self.max_decisions_per_second.is_some() {
            wrong("specify either 'buffer_size_limit_bytes' or 'max_decisions_per_second'");
        }
        if self.max_decisions_per_second.is_some_and(|rate| !rate.is_finite() || rate < 0.0) {
            wrong("'max_decisions_per_second' must not be negative");
        }
        if let Some(kind) =
            self.buffer_type.as_ref().filter(|kind| !["", "size", "event", "disk"].contains(&kind.as_str()))
        {
            errors.push(format!("invalid buffer type {kind:?}, expected \"event\", \"size\" or \"disk\""));
        }
    }
}

/// The number as a size; zero if it is negative.
pub(super) fn natural(number: i64) -> usize {
    usize::try_from(number.max(0)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_such_that_clocks_can_count_them() {
        let reporting = Reporting { max_delay_seconds: Some(u64::MAX), ..Reporting::default() };
        assert!(tokio::time::Instant::now().checked_add(*reporting.delays().end()).is_some());
    }
}
