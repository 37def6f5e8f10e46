//! What the stock agent is made of. Plugins start in the order of this list, sinks of decisions before all others, and stop in
//! the reverse order.

use regent_core::Registry;

/// Registers every stock plugin.
pub fn register(registry: &mut Registry) {
    // First, so that it still shows what the others do at their end.
    regent_distributed_tracing::register(registry);
    regent_engine_rego::register(registry);
    regent_engine_regorus::register(registry);
    regent_http_send::register(registry);
    regent_services::register(registry);
    regent_signing::register(registry);
    regent_discovery::register(registry);
    regent_file_sink::register(registry);
    #[cfg(feature = "object-store")]
    regent_object_store_sink::register(registry);
    #[cfg(feature = "kafka")]
    regent_kafka_sink::register(registry);
    #[cfg(feature = "nats")]
    regent_nats_sink::register(registry);
    #[cfg(feature = "postgres")]
    regent_postgres_sink::register(registry);
    regent_status::register(registry);
    regent_decision_logs::register(registry);
    regent_bundle::register(registry);
    regent_data_updates::register(registry);
}
