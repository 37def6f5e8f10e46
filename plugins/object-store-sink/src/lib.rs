//! Decision logs as objects: compressed lines of JSON in S3, Google Cloud Storage, Azure Blob Storage or a directory.
//!
//! ```text
//! lane (gathers, in memory or on disk) ─ batch ─▶ gzip ─▶ one object, named after what is in it
//! ```
//!
//! What it promises:
//!
//! * A batch is one object, and is taken once the object is safe in the store. The sink holds nothing beside it, so nothing
//!   is lost with the process that the lane does not lose.
//! * A batch that comes again goes to the same place. After a crash, other batches may be made of the same events, which
//!   are other objects: an event may be there twice, but no object ever becomes another one.
//! * Whatever is wrong with the store can be mended while the agent runs; events wait in the lane.
//!
//! Not here: the protocols of the stores, which are those of the crate `object_store`, and what waits.

#[cfg(feature = "cloud")]
mod clouds;
mod config;
mod error;
#[cfg(feature = "cloud")]
mod http;
mod name;
mod sink;
mod store;

pub use config::{AwsConfig, AzureConfig, Config, GcpConfig};
pub use sink::ObjectStoreSink;

/// Adds the sink.
pub fn register(registry: &mut regent_core::Registry) {
    registry.decision_sink::<ObjectStoreSink>();
}
