//! Test kit: a real control plane on loopback, real agent processes, and the bundles that go between them.
//!
//! | To                                                    | Take                |
//! |-------------------------------------------------------|---------------------|
//! | write a bundle, well-formed or hostile                | [`Bundle`]          |
//! | serve bundles, receive logs and status, break on cue  | [`ControlPlane`]    |
//! | have bundles pulled from a registry                   | [`Registry`]        |
//! | run an OPA-compatible binary and talk to it           | [`Agent`]           |
//! | send one HTTP request, in the clear or over TLS       | [`Client`]          |
//! | run a server that others wrote                      | [`Program`], [`Nats`], [`Postgres`], [`Redis`] |
//! | have a CA and certificates for 127.0.0.1              | [`Certificates`]    |
//! | go through a page as its reader would              | [`Walkthrough`]     |
//! | wait for what only polling can see                    | [`wait::until`]     |
//!
//! The kit speaks HTTP, tar and JSON and knows no crate of Regent's, so it judges any agent the same way, the real
//! `opa` included. Everything listens on 127.0.0.1 only, on ports that the kernel chose, so tests run side by side.
//!
//! Waiting is done by notification and every wait has a limit; running into it says what *had* arrived. The sockets are
//! real, so do not pause tokio's clock in a test that uses the kit: limits would pass at once.

#![expect(clippy::print_stdout, reason = "a test tells so what it could not try")]

mod agent;
mod bundle;
mod certificates;
mod client;
mod control_plane;
mod error;
mod nats;
mod output;
mod payload;
mod port;
mod postgres;
mod program;
mod redis;
mod registry;
pub mod wait;
mod walkthrough;

pub use agent::{Agent, AgentCommand};
pub use bundle::Bundle;
pub use certificates::Certificates;
pub use client::{Answer, Client};
pub use control_plane::{ClientAuth, ControlPlane, Fault, Received, Upload};
pub use error::Error;
pub use nats::Nats;
pub use payload::Payload;
pub use postgres::Postgres;
pub use program::{Program, Server};
pub use redis::Redis;
pub use registry::Registry;
pub use tar::EntryType;
pub use walkthrough::Walkthrough;
