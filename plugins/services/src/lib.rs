//! Clients of control-plane services: plain HTTP and OCI registries, with credentials of many kinds.
//!
//! A service is made from its section of the configuration and connects to nothing before its first request. What the
//! text of the configuration shows to be wrong is refused when it is checked; what only files can tell (a token, a
//! certificate, a CA) is read at each request, so a mistake there fails that request and mending it needs no restart.
//!
//! [`register`] adds the connectors of both and the kinds of credentials. A cause of failure comes without
//! `request failed:` before it; who asked puts it there.
//!
//! Not here: who asks and how often (the bundle, decision log and status plugins); the contract is
//! [`regent_core::service`].

mod config;
mod connector;
mod credentials;
mod environment;
mod error;
mod log;
mod oci;
mod pieces;
mod rest;
pub mod tls;
mod user_agent;
mod wire;

use std::sync::Arc;

use regent_core::Registry;

use environment::Environment;
pub use user_agent::{OPA_VERSION, user_agent};

/// Adds services that speak plain HTTP or are registries, and their kinds of credentials.
pub fn register(registry: &mut Registry) {
    registry.service_connector(Arc::new(connector::HttpConnector));
    registry.service_connector(Arc::new(connector::RegistryConnector));
    for factory in credentials::factories(&Environment::process()) {
        registry.credential(factory);
    }
}
