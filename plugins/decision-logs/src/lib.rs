//! Records decisions: shapes their events, buffers them, and brings them where the configuration wants them.
//!
//! ```text
//! request ─ EventSender ─▶ queue ─ Shaper (labels, drop, mask) ─┬▶ lane: console
//!            never waits                                        ├▶ lane: plugin, another plugin, …
//!                                                               └▶ lane: service (chunks, uploads)
//!
//! with `buffer_type: disk`, on the way to plugins and service:  ─▶ appender ─▶ journal ─▶ lane
//! ```
//!
//! What it promises:
//!
//! * A request never waits for its record, unless `disk_sync: always` wants the record on disk first. All work is done
//!   behind a queue, off the threads that answer requests.
//! * What is encoded is encoded once, after masking; nothing unmasked gets into a buffer or onto a disk.
//! * The policies that drop and mask see the state that the decision saw, not a newer one.
//! * If a mask cannot be applied, the event keeps nothing that it might have hidden.
//! * Every buffer has a bound, and every event that does not fit is counted, logged and shown in status.
//! * Each lane has its own buffer and retries, so a slow receiver holds up no other.
//!
//! Not here: the event itself ([`regent_core::decision::DecisionEvent`]), which the REST API makes, and the clients of
//! services ([`regent_core::service::Services`]).

mod ack;
mod config;
mod counters;
mod error;
mod journal;
mod lane;
mod lanes;
mod mask;
mod plugin;
mod pointer;
mod policy;
mod queue;
mod shape;

use plugin::DecisionLogsPlugin;

/// Fills the slots of this crate.
pub fn register(registry: &mut regent_core::Registry) {
    registry.plugin::<DecisionLogsPlugin>();
}
