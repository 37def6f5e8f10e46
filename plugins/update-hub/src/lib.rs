//! A hub for updates of data: publishers tell it what has changed, and it tells every agent that is subscribed to the topic.
//!
//! ```text
//! publisher --POST /data/config--> api --append--> backbone --follow--> exchange --queue of a peer--> peer --notify--> agent
//!                                                      |                                            ^
//!                                            other hubs' backbones                              subscribe
//! ```
//!
//! - `config`, `environment`: what it is told; the variables of an opal-server count too.
//! - `access`: tokens, who has one, and who may do what.
//! - `api`: the endpoints of opal-server.
//! - `publication`: what is published; `backbone`: where it gets its number, which is the same for all hubs on one backbone.
//! - `exchange`: the one task that knows who is subscribed to what, and the log of what was published last.
//! - `peer`: a websocket.
//! - `policy`: files of a repository or a bundle, for agents that take policy from the hub too.
//!
//! Promises: every hub on a backbone tells the same publications in the same order; a peer that comes back with the number of the
//! last one it has seen gets what it missed, or is told to load base data anew; who is too slow is sent away, and comes back so; every
//! queue is bounded.
//!
//! The protocol is that of opal-server 0.9.9.

mod access;
mod api;
#[cfg_attr(
    not(any(feature = "nats", feature = "postgres", feature = "redis")),
    expect(dead_code, unused_variables, reason = "there is no kind of shared log")
)]
mod backbone;
mod config;
mod directory;
mod environment;
mod exchange;
mod hub;
mod listen;
mod load;
mod log;
mod peer;
mod policy;
mod publication;
mod refusal;
mod refusals;
mod reports;
mod state;
mod stats;
mod validate;

pub use config::HubConfig;
pub use environment::opal_variables;
pub use hub::{Hub, HubError};
pub use policy::PolicyConfig;
