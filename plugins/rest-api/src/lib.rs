//! OPA's HTTP API: data, policies, queries, health, configuration, status and metrics.
//!
//! [`Listeners`] binds addresses and carries connections, [`Api`] answers requests. A request passes through
//!
//! ```text
//! listen -> connection -> layers (from log to compress) -> api -> one module for each route
//! ```
//!
//! `connection` gives a request a number and finds its route. `layers` lists what happens around every call.
//!
//! Promises: paths, parameters, bodies, statuses, error texts and log lines are OPA's. A decision is recorded before it is
//! answered. Bodies are bounded before they are decoded, and nothing of a request is decoded before it is authorized but
//! what the policy is shown. A panic is an answer with 500 and a log line.
//!
//! Not a plugin: the agent binds before it starts plugins, and stops listening before it stops them. Not here: what a
//! policy means ([`regent_core::engine`]), where decisions go ([`regent_core::decision`]).

mod acks;
mod activity;
mod answer;
mod api;
mod batch;
mod body;
mod call;
mod compile;
mod config;
mod connection;
mod context;
mod data;
mod decide;
mod document;
mod envelope;
mod error;
mod health;
mod layers;
mod limits;
mod listen;
mod pages;
mod panics;
mod params;
mod peer;
mod policies;
mod query;
mod reference;
mod route;
mod trigger;
mod v0;

pub use api::Api;
pub use config::ServerConfig;
pub use context::BuildInfo;
pub use layers::{Authentication, Authorization, authorization_schema};
pub use listen::{BindError, Listeners, Options, ServeError, TlsError, TlsOptions, TlsVersion};
