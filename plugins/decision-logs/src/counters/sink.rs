//! Counts what happens to the events of one receiver, and says how it fares.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use metrics::Gauge;
use regent_core::status::{Cause, DecisionLogsStatus};
use regent_core::telemetry::Telemetry;
use regent_core::{Host, Value};

use super::{Count, Counters};
use crate::error::UploadError;
use crate::journal;

const DROPPED: &str = "decision_logs_sink_dropped";
const WAITING: &str = "decision_logs_sink_waiting_events";
const DISK: &str = "decision_logs_sink_disk_bytes";

/// Gives the metrics of receivers their help texts.
pub(super) fn describe(telemetry: &Telemetry) {
    telemetry.describe_counter(DROPPED, "Decision log events that a sink did not get, by reason.");
    telemetry.describe_gauge(WAITING, "Decision log events that wait for a sink.");
    telemetry.describe_gauge(DISK, "Bytes of decision log events on disk for a sink.");
}

/// The counters of one receiver. Whatever is counted here is counted under OPA's names for all receivers together too.
pub(crate) struct SinkStats {
    sink: String,
    all: Arc<Counters>,
    dropped: AtomicU64,
    waiting: Level,
    disk: Level,
    /// What is wrong with it, for status. Locked to say so or to look.
    trouble: Mutex<Option<String>>,
}

/// A gauge that can be read.
struct Level {
    now: AtomicU64,
    shown: Gauge,
}

impl Level {
    fn set(&self, level: u64) {
        self.now.store(level, Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        self.shown.set(level as f64);
    }

    fn get(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }
}

impl SinkStats {
    pub(super) fn new(sink: String, all: Arc<Counters>) -> Self {
        let labels = [("sink", sink.clone())];
        let level = |name| Level { now: AtomicU64::new(0), shown: all.telemetry.gauge(name, &labels) };
        let (waiting, disk) = (level(WAITING), level(DISK));
        Self { sink, dropped: AtomicU64::new(0), waiting, disk, trouble: Mutex::default(), all }
    }

    /// The receiver's name, such as `service` or `plugin/NAME`.
    pub(crate) fn sink(&self) -> &str {
        &self.sink
    }

    pub(crate) fn add(&self, count: Count, amount: u64) {
        self.all.add(count, amount);
        if let Some(reason) = count.reason().filter(|_| amount > 0) {
            self.dropped.fetch_add(amount, Ordering::Relaxed);
            let labels = [("sink", self.sink.clone()), ("reason", reason.to_owned())];
            self.all.telemetry.counter(DROPPED, &labels).increment(amount);
        }
    }

    /// One closed chunk.
    pub(crate) fn chunk(&self, events: usize) {
        self.all.chunk(events);
    }

    /// Events that wait for the receiver now.
    pub(crate) fn waiting(&self, events: u64) {
        self.waiting.set(events);
    }

    /// What waits in the receiver's journal now.
    pub(crate) fn on_disk(&self, usage: &journal::Usage) {
        let (events, bytes) = usage.read();
        self.waiting.set(events);
        self.disk.set(bytes);
    }

    /// Notes what is wrong with the receiver; true if that is news.
    pub(crate) fn trouble(&self, now: Option<&str>) -> bool {
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = known.as_deref() != now;
        if is_news {
            *known = now.map(str::to_owned);
        }
        is_news
    }

    /// Puts the counters of all receivers into status, beside what uploads have said there.
    pub(crate) fn report(&self, host: &Host) {
        self.report_with(host, |_| {});
    }

    /// Puts into status how a round of uploads ended, and the counters of all receivers.
    pub(crate) fn report_upload(&self, host: &Host, error: Option<&UploadError>) {
        self.report_with(host, |status| {
            status.code = error.map(|_| "decision_log_error");
            status.message = error.map(UploadError::to_string);
            status.http_code = error.and_then(UploadError::status);
        });
    }

    fn report_with(&self, host: &Host, change: impl FnOnce(&mut DecisionLogsStatus)) {
        let (metrics, sinks) = (self.all.shown(), self.all.sinks());
        host.status.change(Cause::DecisionLogs, |report| {
            let status = report.decision_logs.get_or_insert_default();
            change(status);
            (status.metrics, status.sinks) = (metrics, sinks);
        });
    }

    /// What status says of the receiver. Of a service without journal OPA says everything already.
    pub(super) fn shown(&self) -> Option<Value> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let (dropped, waiting, disk) = (self.dropped.load(Ordering::Relaxed), self.waiting.get(), self.disk.get());
        let is_news = disk > 0 || trouble.is_some() || (dropped > 0 && self.sink != "service");
        let mut fields = vec![("dropped_events", Value::from(dropped)), ("waiting_events", waiting.into())];
        fields.extend((disk > 0).then(|| ("disk_bytes", disk.into())));
        fields.extend(trouble.as_deref().map(|why| ("message", why.into())));
        is_news.then(|| Value::object(fields))
    }
}
