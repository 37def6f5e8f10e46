//! Counts what happens to events, for Prometheus and for status, under OPA's names.

mod sink;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use metrics::{Counter, Histogram};
use regent_core::Value;
use regent_core::telemetry::Telemetry;

pub(crate) use sink::SinkStats;

/// What is counted. The position is that in [`TABLE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// Events over the rate limit.
    RateLimit,
    /// Events that found a full queue or event buffer.
    BufferEvents,
    /// Chunks that had to make room in the size buffer.
    BufferBytes,
    /// Events that lost the record of non-deterministic calls to fit into an upload.
    CacheDropped,
    /// Events too large for any upload.
    EncodingFailure,
    /// Events that were too large for an upload as they came.
    ExceededUploadLimit,
    /// Times that a chunk could have been larger.
    ScaleUp,
    /// Times that a chunk was too large.
    ScaleDown,
    /// Times that a chunk was just right.
    Stable,
    /// Events whose mask failed; they were kept without input and result.
    MaskFailed,
    /// Events whose drop policy failed; they were kept.
    DropFailed,
    /// Events that found the console's buffer full.
    ConsoleBuffer,
    /// Events that found the plugin's buffer full.
    PluginBuffer,
    /// Events that the plugin refused for good.
    PluginRefused,
    /// Events that were still in some buffer when the time to stop was over.
    Unfinished,
    /// Events that made room in a full journal.
    DiskFull,
    /// Events that could not be put into a journal.
    DiskFailed,
    /// Events that were in a journal and cannot be read any more.
    DiskDamaged,
    /// Decisions that were not answered, because a journal would not take their events.
    DiskRefused,
}

impl Count {
    /// Why events are gone, if that is what is counted.
    fn reason(self) -> Option<&'static str> {
        Some(match self {
            Self::RateLimit => "rate_limit",
            Self::BufferEvents | Self::BufferBytes | Self::ConsoleBuffer | Self::PluginBuffer => "buffer_full",
            Self::EncodingFailure => "too_large",
            Self::PluginRefused => "refused",
            Self::Unfinished => "stopped",
            Self::DiskFull => "disk_full",
            Self::DiskFailed => "disk_failed",
            Self::DiskDamaged => "disk_damaged",
            _ => return None,
        })
    }
}

/// Name in Prometheus, and in status behind `counter_`; then what it counts.
const TABLE: [(&str, &str); 19] = [
    ("decision_logs_dropped_rate_limit_exceeded", "Decision log events dropped because of the rate limit."),
    ("decision_logs_dropped_buffer_size_limit_exceeded", "Decision log events dropped because a buffer was full."),
    (
        "decision_logs_dropped_buffer_size_limit_bytes_exceeded",
        "Decision log events dropped with the oldest chunks because the size buffer was full.",
    ),
    ("decision_logs_nd_builtin_cache_dropped", "Decision log events that lost their ND builtins cache to fit."),
    ("decision_logs_encoding_failure", "Decision log events dropped because they fit into no upload."),
    ("enc_log_exceeded_upload_size_limit_bytes", "Decision log events larger than the upload limit."),
    ("enc_uncompressed_limit_scale_up", "Times that chunks of decision logs were made larger."),
    ("enc_uncompressed_limit_scale_down", "Times that chunks of decision logs were made smaller."),
    ("enc_uncompressed_limit_stable", "Times that a chunk of decision logs had the right size."),
    ("decision_logs_mask_failed", "Decision log events kept without input and result because masking failed."),
    ("decision_logs_drop_failed", "Decision log events kept because the drop policy failed."),
    ("decision_logs_dropped_console_buffer_exceeded", "Decision log events not shown because the console was slow."),
    ("decision_logs_dropped_plugin_buffer_exceeded", "Decision log events dropped because the plugin was slow."),
    ("decision_logs_dropped_plugin_refused", "Decision log events dropped because the plugin refused them."),
    ("decision_logs_dropped_at_stop", "Decision log events that were not delivered before the agent stopped."),
    ("decision_logs_dropped_disk_full", "Decision log events dropped from a full journal to make room."),
    ("decision_logs_dropped_disk_failed", "Decision log events that could not be written to a journal."),
    ("decision_logs_dropped_disk_damaged", "Decision log events lost because a journal was damaged."),
    ("decision_logs_refused_disk", "Decisions refused because a journal would not take their events."),
];

const CHUNK_EVENTS: &str = "enc_events_written_in_chunk";

/// The counters of one plugin instance; shared by its lanes.
pub(crate) struct Counters {
    totals: [AtomicU64; TABLE.len()],
    exported: [Counter; TABLE.len()],
    chunk_events: Histogram,
    telemetry: Telemetry,
    /// One for each receiver that there ever was, by name. Locked to start a receiver or to report.
    stats: Mutex<BTreeMap<String, Arc<SinkStats>>>,
}

impl Counters {
    pub(crate) fn new(telemetry: &Telemetry) -> Self {
        for (name, help) in TABLE {
            telemetry.describe_counter(name, help);
        }
        telemetry.describe_histogram(CHUNK_EVENTS, "Decision log events in one chunk.");
        sink::describe(telemetry);
        Self {
            totals: Default::default(),
            exported: TABLE.map(|(name, _)| telemetry.counter(name, &[])),
            chunk_events: telemetry.histogram(CHUNK_EVENTS, &[]),
            telemetry: telemetry.clone(),
            stats: Mutex::default(),
        }
    }

    pub(crate) fn add(&self, count: Count, amount: u64) {
        self.totals[count as usize].fetch_add(amount, Ordering::Relaxed);
        self.exported[count as usize].increment(amount);
    }

    /// What happens to the events of one receiver; the same as before, if there was one of that name before.
    pub(crate) fn stats(self: &Arc<Self>, sink: &str) -> Arc<SinkStats> {
        let mut all = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(SinkStats::new(sink.to_owned(), self.clone()));
        all.entry(sink.to_owned()).or_insert_with(new).clone()
    }

    /// Forgets the receivers at the end: they know the counters, so neither would ever go.
    pub(crate) fn forget_sinks(&self) {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How receivers fare that OPA has no word for; nothing if there is nothing to say.
    pub(crate) fn sinks(&self) -> Option<Value> {
        let all = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        let shown: Vec<_> = all.iter().filter_map(|(sink, stats)| Some((sink.clone(), stats.shown()?))).collect();
        (!shown.is_empty()).then(|| Value::object(shown))
    }

    /// One closed chunk.
    pub(crate) fn chunk(&self, events: usize) {
        self.chunk_events.record(u32::try_from(events).map_or(f64::MAX, f64::from));
    }

    /// All that is not zero, as status shows it; nothing if all is zero.
    pub(crate) fn shown(&self) -> Option<Value> {
        let total = |at: usize| self.totals[at].load(Ordering::Relaxed);
        let named = TABLE.iter().enumerate().map(|(at, (name, _))| (format!("counter_{name}"), total(at)));
        let moved: Vec<_> = named.filter(|(_, total)| *total > 0).collect();
        (!moved.is_empty()).then(|| Value::object(moved))
    }
}
