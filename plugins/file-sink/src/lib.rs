//! Decision logs in files: a line of JSON for each decision, in files that are rolled, compressed and kept within limits.
//!
//! ```text
//! batch ─▶ Log (append whole lines, roll) ─▶ decisions.ndjson
//!                                     └─ rolled ─▶ decisions-20260102T030405.000000Z.ndjson ─ tidy ─▶ ….ndjson.gz, oldest removed
//! ```
//!
//! What it promises:
//!
//! * A batch that is taken is in the file as a whole, in order; with `sync: true`, on disk.
//! * Files hold whole lines, whatever failed: what a full disk or a crash left of a line is cut off.
//! * Who moves the file away, as logrotate does, gets no further lines in it: they go into a new one.
//! * What was rolled is compressed and removed off the way that events take.
//!
//! Not here: what waits while the disk fails, which is the business of decision logs.

mod config;
mod error;
mod log;
mod rolled;
mod sink;
mod tidy;

pub use config::Config;
pub use sink::FileSink;

/// Adds the sink.
pub fn register(registry: &mut regent_core::Registry) {
    registry.decision_sink::<FileSink>();
}
