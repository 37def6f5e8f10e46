//! Test kit of plugins: an agent within the test that has nothing but what is tested.
//!
//! | To                                                         | Take             |
//! |------------------------------------------------------------|------------------|
//! | run plugins with a configuration, and talk to their host   | [`Agent`]        |
//! | hold a plugin to what every plugin promises                | [`lifecycle`]    |
//! | try a decision sink                                        | [`Sink`]         |
//! | reach services in the clear, without credentials           | [`PlainHttp`]    |
//! | look at what was logged                                    | [`log_lines`]    |
//!
//! Servers, and agents as processes, are in `regent-kit`.

mod agent;
mod lifecycle;
mod log;
mod plain_http;
mod sink;

use std::time::Duration;

pub use agent::{Agent, tree};
pub use lifecycle::lifecycle;
pub use log::{Line, log_lines};
pub use plain_http::PlainHttp;
use regent_core::plugin::PluginConfig;
pub use sink::{Sink, event, event_of, events};

/// How long anything may take.
pub const LIMIT: Duration = Duration::from_mins(1);

/// The configuration of a plugin that has nothing to configure.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
pub struct NoConfig {}

impl PluginConfig for NoConfig {}
