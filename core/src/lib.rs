//! The contract of Regent: a few small traits and the words they share.
//!
//! This crate knows no Rego, no HTTP server and no bundle format. Plugins depend on it and never on each other.

pub mod engine;
pub mod error;
pub mod metrics;
pub mod store;
pub mod value;

pub use error::{Error, ErrorKind};
pub use store::{Snapshot, Store};
pub use value::Value;
