//! Distributed traces for OpenTelemetry: a span for every request that is served, and for every one that is sent.
//!
//! ```text
//! span ends -> queue (bounded) -> pump (batches) -> opentelemetry-otlp (protobuf) -> wire (HTTP, or gRPC)
//! ```
//!
//! Configured at `distributed_tracing`, with OPA's keys. Without that section, or without a `type`, nothing of this
//! runs, and no request costs more than a look at an empty place.
//!
//! Promises: whoever makes a decision never waits for the collector, unless `blocking` says so. What does not fit into
//! the queue, or cannot be delivered, is dropped and counted.

mod config;
mod plugin;
mod pump;
mod queue;
mod tracer;
mod wire;

use regent_core::Registry;

/// Registers the plugin. First of all, so that it ends last and shows what the others do at their end.
pub fn register(registry: &mut Registry) {
    registry.plugin::<plugin::DistributedTracing>();
}
