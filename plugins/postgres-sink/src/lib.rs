//! A sink that stores decisions in a table of PostgreSQL.
//!
//! ```text
//! batch -> rows -> one INSERT (those that the table has already are left out) -> batch is done
//! ```
//!
//! Configured at `plugins.postgres_sink`, chosen by `decision_logs.plugin: postgres_sink`.
//!
//! Promises: a batch is done when every event of it is committed. The table's primary key is `decision_id`, so an event that
//! comes again is in it once. An event that the column cannot hold as it is keeps nobody else out, and is stored as text.
//!
//! Not here: buffers and waiting before another try, which are the business of `decision-logs`.

mod config;
mod connection;
mod part;
mod row;
mod sink;
mod table;

use regent_core::Registry;

/// Registers the sink.
pub fn register(registry: &mut Registry) {
    registry.decision_sink::<sink::PostgresSink>();
}
