//! The console: each event is a line of the agent's own log.

use std::sync::Arc;

use regent_core::decision::{Delivery, EncodedEvent, SinkHandle};
use regent_core::{Error, ErrorKind};
use tracing::info;

/// What the lines are marked with.
const TYPE: &str = "openpolicyagent.org/decision_logs";

/// Writes events into the agent's own log.
pub(crate) struct Console;

impl SinkHandle for Console {
    fn write(&self, events: Arc<[EncodedEvent]>) -> Delivery<'_> {
        Box::pin(async move {
            // Standard error may be a pipe that nobody empties, and then writing waits.
            let job = tokio::task::spawn_blocking(move || events.iter().for_each(show));
            job.await.map_err(|panic| Error::new(ErrorKind::Internal, "the console").caused_by(panic))
        })
    }
}

/// One line; the log puts the fields of `json` beside its own.
fn show(event: &EncodedEvent) {
    let json = String::from_utf8_lossy(event.json());
    // An event always has fields.
    let fields = json.strip_suffix('}').unwrap_or_default();
    info!(json = %format_args!("{fields},\"type\":\"{TYPE}\"}}"), "Decision Log");
}
