//! The console: each event is a line of the agent's own log.

use std::sync::Arc;

use regent_core::decision::{DecisionEvent, Delivery, SinkHandle};
use regent_core::value::encode;
use regent_core::{Error, ErrorKind};
use tracing::info;

/// What the lines are marked with.
const TYPE: &str = "openpolicyagent.org/decision_logs";

/// Writes events into the agent's own log.
pub(crate) struct Console;

impl SinkHandle for Console {
    fn write(&self, events: Arc<[DecisionEvent]>) -> Delivery<'_> {
        Box::pin(async move {
            // Standard error may be a pipe that nobody empties, and then writing waits.
            let job = tokio::task::spawn_blocking(move || events.iter().for_each(show));
            job.await.map_err(|panic| Error::new(ErrorKind::Internal, "the console").caused_by(panic))
        })
    }
}

/// One line; the log puts the fields of `json` beside its own.
fn show(event: &DecisionEvent) {
    let line = event.to_value().with(&["type"], TYPE.into());
    info!(json = %encode(&line), "Decision Log");
}
