//! A sink that publishes decisions to a topic of Kafka, by way of librdkafka.
//!
//! ```text
//! batch -> producer (librdkafka: batches, retries, idempotence) -> topic -> acknowledgements -> batch is done
//! ```
//!
//! Configured at `plugins.kafka_sink`, chosen by `decision_logs.plugin: kafka_sink`. The crate is empty without the feature
//! `librdkafka`, which has C and C++ compiled; the agent's feature `kafka` brings it.
//!
//! Promises: a batch is done when every event of it is acknowledged. An event that was acknowledged is not published again
//! when others of its batch are.
//!
//! Not here: buffers and waiting before another try, which are the business of `decision-logs`. TLS: librdkafka's is OpenSSL.
#![cfg(feature = "librdkafka")]

mod config;
mod producer;
mod sink;

use regent_core::Registry;

/// Registers the sink.
pub fn register(registry: &mut Registry) {
    registry.decision_sink::<sink::KafkaSink>();
}
