//! Updates of data by OPAL's protocol: the agent hears that something has changed, fetches it, and has it in its next decision.
//!
//! ```text
//! hub --notice--> connection --update--> worker --fetch--> fetchers
//!                                          |--one transaction an entry--> store
//!                                          '--report--> callbacks
//! ```
//!
//! - [`model`], [`topics`], [`rpc`]: what goes over the wire; a library for publishers and hubs too. [`publisher`] publishes.
//! - `connection`: the websocket: handshake, subscription, keeping alive, reconnecting.
//! - `worker`: the one task that owns all that is under way; `base`: the list of what an agent has to have.
//! - `job`: one entry on its way; `order`: whose turn it is; `http`, `file`: getting data; `apply`: writing it.
//! - `policy`: modules and data from the server's repository of policy.
//! - `health`, `report`: telling how it went.
//!
//! Promises: entries of related paths are written in the order in which they were announced; an entry is written as a whole or
//! not at all; what a bundle owns is not touched; every buffer is bounded, and what cannot be held waits at the hub.
//!
//! The protocol is that of opal-server 0.9.9.

mod apply;
mod base;
mod config;
mod connection;
mod digest;
mod error;
mod file;
mod health;
mod http;
mod job;
pub mod model;
mod order;
mod plugin;
mod policy;
#[cfg(feature = "postgres")]
mod postgres;
pub mod publisher;
mod repeats;
mod report;
pub mod rpc;
pub mod topics;
mod worker;

use regent_core::Registry;

pub use config::{Config, Fetch, Reports};
pub use plugin::DataUpdates;

/// Adds the plugin and the fetchers `http`, `file` and, with the feature of its name, `postgres`.
pub fn register(registry: &mut Registry) {
    registry.plugin::<DataUpdates>();
    registry.data_fetcher::<http::HttpFetcher>();
    registry.data_fetcher::<file::FileFetcher>();
    #[cfg(feature = "postgres")]
    registry.data_fetcher::<postgres::PostgresFetcher>();
}
