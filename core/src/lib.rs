//! The contract of Regent: a few small traits and the words they share.
//!
//! This crate knows no Rego, no HTTP server and no bundle format. Plugins depend on it; of each other they take libraries
//! at most.

pub mod backoff;
pub mod blocks;
pub mod builtin;
pub mod caching;
pub mod config;
pub mod data_fetcher;
pub mod decision;
pub mod duration;
pub mod engine;
pub mod error;
pub mod fetch;
pub mod host;
pub mod log_limiter;
pub mod logging;
pub mod metrics;
pub mod offloaded;
pub mod parallel;
pub mod plugin;
pub mod registry;
mod roles;
pub mod service;
pub mod settings;
pub mod signing;
pub mod status;
pub mod steering;
pub mod store;
pub mod supervisor;
pub mod telemetry;
pub mod timer;
pub mod trace;
pub mod trigger;
pub mod types;
pub mod value;
pub mod yaml;

pub use error::{Error, ErrorKind};
pub use host::Host;
pub use plugin::Plugin;
pub use registry::Registry;
pub use store::{Snapshot, Store};
pub use supervisor::Supervisor;
pub use value::Value;
