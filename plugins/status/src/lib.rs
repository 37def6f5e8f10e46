//! Reports how the agent fares, whenever something reports a change to [`regent_core::status::StatusBoard`].
//!
//! One report is on its way at a time and at most one waits: a newer one takes its place, for it says all that the older
//! one did. Nothing is sent twice; what went wrong is in the log, and the next event carries the newest state.
//!
//! | To                               | Configured by                |
//! |----------------------------------|------------------------------|
//! | a service                        | `status.service`             |
//! | the agent's own log              | `status.console`             |
//! | a plugin                         | `status.plugin`              |
//! | `/metrics`, as gauges            | `status.prometheus`          |
//! | `GET /v1/status`                 | whenever the section is used |
//!
//! Not here: who reports what ([`regent_core::status`]), and the HTTP API, which reads the last report from there.

mod body;
mod config;
mod error;
mod families;
mod metrics_json;
mod plugin;
mod receivers;

pub use config::{Collectors, Config, LoadingDuration, PrometheusConfig};
pub use error::ReportError;
pub use plugin::StatusPlugin;

/// Fills the slots of this crate.
pub fn register(registry: &mut regent_core::Registry) {
    registry.plugin::<StatusPlugin>();
}
