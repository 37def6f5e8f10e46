//! Where spans wait for their delivery.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::Counter;
use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

/// Takes the spans that have ended.
pub(crate) struct Queue {
    pub(crate) spans: Sender<SpanData>,
    /// Whether those whose spans end wait for room.
    pub(crate) blocking: bool,
    /// Counts the spans that found no room.
    pub(crate) dropped: Counter,
    /// Those of them that the log does not tell of yet.
    pub(crate) untold: Arc<AtomicU64>,
}

impl Queue {
    fn drop_one(&self) {
        self.dropped.increment(1);
        self.untold.fetch_add(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("blocking", &self.blocking).finish_non_exhaustive()
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        match self.spans.try_send(span) {
            Ok(()) => {}
            Err(TrySendError::Full(span)) if self.blocking && may_block() => {
                if tokio::task::block_in_place(|| self.spans.blocking_send(span).is_err()) {
                    self.drop_one();
                }
            }
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => self.drop_one(),
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    /// The pump sees to what waits.
    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// A runtime with a single thread would wait for itself.
fn may_block() -> bool {
    Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread)
}
