//! A sink that publishes decisions to a stream of NATS JetStream.
//!
//! ```text
//! batch -> connection (publishes, in order) -> stream -> acknowledgements -> batch is done
//! ```
//!
//! Configured at `plugins.nats_sink`, chosen by `decision_logs.plugin: nats_sink`.
//!
//! Promises: a batch is done when the stream has acknowledged every event of it. Each event is published under its
//! `decision_id`, so a stream keeps an event that comes again once, as long as its deduplication window lasts.
//!
//! Not here: buffers and waiting before another try, which are the business of `decision-logs`.

mod config;
mod connection;
mod sink;

use regent_core::Registry;

/// Registers the sink.
pub fn register(registry: &mut Registry) {
    registry.decision_sink::<sink::NatsSink>();
}
