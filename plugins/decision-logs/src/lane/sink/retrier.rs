//! What follows when a sink has been offered a batch, wherever its events wait.

use std::sync::Arc;
use std::time::Duration;

use regent_core::decision::RefusedEvents;
use regent_core::log_limiter::LogLimiter;
use regent_core::{Error, ErrorKind, Host, backoff};
use tracing::warn;

use crate::counters::{Count, SinkStats};

/// Longest wait between two tries of the same batch.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Counts, logs and reports failures of one sink, and says whether to try again.
pub(super) struct Retrier {
    host: Host,
    stats: Arc<SinkStats>,
    /// Tries in a row that failed.
    failures: u32,
    log: LogLimiter,
}

impl Retrier {
    pub(super) fn new(host: Host, stats: Arc<SinkStats>) -> Self {
        Self { host, stats, failures: 0, log: LogLimiter::default() }
    }

    /// Takes note of how an offer of so many events ended: the pause before the same batch is offered again, or nothing if
    /// the sink is done with it.
    pub(super) fn settle(&mut self, result: Result<(), Error>, events: usize) -> Option<Duration> {
        let is_retriable = Self::is_retriable(&result);
        match result {
            Err(error) if is_retriable => {
                self.unavailable(&error);
                return Some(self.pause());
            }
            Err(error) => self.refused(&error, events),
            Ok(()) => {}
        }
        self.failures = 0;
        self.tell(None);
        None
    }

    /// Whether the same batch is to be offered again.
    pub(super) fn is_retriable(result: &Result<(), Error>) -> bool {
        result.as_ref().err().is_some_and(|error| error.kind() == ErrorKind::Unavailable)
    }

    /// The pause after one more try that failed, at the sink or before it.
    pub(super) fn pause(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        backoff::after(self.failures, LONGEST_WAIT)
    }

    fn unavailable(&mut self, error: &Error) {
        let (sink, why) = (self.stats.sink(), error.chain());
        if let Some(times) = self.log.due(1) {
            warn!(plugin = "decision_logs", sink, times, "Decision log receiver unavailable: {why}");
        }
        self.tell(Some(&why));
    }

    /// Says in status whether something is wrong with the sink.
    fn tell(&self, trouble: Option<&str>) {
        if self.stats.trouble(trouble) {
            self.stats.report(&self.host);
        }
    }

    /// Takes note of events that the sink refuses for good. Status is told no more often than the log: a sink may refuse
    /// all that comes.
    fn refused(&mut self, error: &Error, events: usize) {
        let events = RefusedEvents::lost(error, events) as u64;
        self.stats.add(Count::PluginRefused, events);
        if let Some(events) = self.log.due(events) {
            let (sink, why) = (self.stats.sink(), error.chain());
            warn!(plugin = "decision_logs", sink, events, "Decision log receiver refused events: {why}");
            self.stats.report(&self.host);
        }
    }
}
