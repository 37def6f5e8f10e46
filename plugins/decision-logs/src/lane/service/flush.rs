//! The end of an upload lane: what is left goes out, as far as time allows.

use tokio::time::{Instant, sleep_until};
use tracing::{error, info};

use super::ServiceLane;
use super::round::Round;
use crate::config::Trigger;
use crate::counters::Count;
use regent_core::backoff;

impl ServiceLane {
    /// Uploads until nothing is left or the moment has come.
    pub(super) async fn flush(mut self, deadline: Instant) {
        if self.settings.trigger == Trigger::Manual {
            return self.leave();
        }
        info!(plugin = "decision_logs", "Flushing decision logs.");
        while self.left() > 0 && Instant::now() < deadline {
            if self.round.is_some() {
                tokio::select! {
                    result = Round::upload_done(&mut self.round) => self.settle(result).await,
                    () = sleep_until(deadline) => break,
                }
            } else {
                let pause = backoff::after(self.failures, *self.settings.delays.end());
                sleep_until(deadline.min(Instant::now() + pause)).await;
                self.begin(true).await;
            }
        }
        self.leave();
    }

    /// Says how it ended.
    fn leave(&self) {
        let events = self.left();
        if events == 0 {
            info!(plugin = "decision_logs", "All decisions in buffer uploaded.");
            return;
        }
        if self.buffer().is_on_disk() {
            info!(plugin = "decision_logs", events, "Decisions stay on disk, to be uploaded after the next start.");
            return;
        }
        self.stats.add(Count::Unfinished, events);
        error!(plugin = "decision_logs", events, "Plugin stopped with decisions possibly still in buffer.");
    }
}
