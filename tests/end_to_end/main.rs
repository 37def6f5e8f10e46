//! The real binary, from outside: real HTTP, real signals, a control plane in this process.

#![expect(clippy::print_stderr, reason = "a test tells so what it could not try")]

mod advisories;
mod aging;
mod architecture;
mod billing;
mod broken_services;
mod bucket;
mod bundles;
mod collector;
mod config_check;
mod credentials;
mod discovery;
mod doors;
mod examples;
mod faults;
mod file_sink;
mod flags;
mod hostile;
mod http_send;
mod journey;
mod kept_decisions;
mod known_schema;
mod nats_sink;
mod object_store_sink;
mod postgres_sink;
mod records;
mod registries;
mod reload;
mod requests;
mod signatures;
mod start_up;
mod support;
mod traces;
mod triggers;
mod under_load;

/// The engine that is asked for; the default one.
const ENGINE: Option<&str> = None;
