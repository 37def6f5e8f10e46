//! The plugin contract: something with a life of its own.
//!
//! A plugin is one value owned by one task. Its life, all of it driven by the [`crate::Supervisor`]:
//!
//! 1. *check*: the section is parsed and validated. No effects.
//! 2. *build*: [`Plugin::build`] makes the value, which claims nothing and can simply be dropped.
//! 3. *run*: [`Plugin::run`] works until it is told to stop, and owns all its state.
//!
//! A new configuration goes through the same steps; only if every plugin accepts its part does anything change.
//!
//! ```
//! use regent_core::plugin::{Inbox, Plugin, PluginConfig, Signal};
//! use regent_core::status::State;
//! use regent_core::{Error, Host};
//!
//! /// Says hello in the log.
//! struct Greeter(Greeting, Host);
//!
//! #[derive(Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
//! struct Greeting {
//!     name: String,
//! }
//!
//! impl PluginConfig for Greeting {}
//!
//! impl Plugin for Greeter {
//!     const NAME: &'static str = "greeter"; // configured at `plugins.greeter`
//!     type Config = Greeting;
//!
//!     fn build(config: Greeting, host: Host) -> Result<Self, Error> {
//!         Ok(Self(config, host))
//!     }
//!
//!     async fn run(self, mut inbox: Inbox<Greeting>) -> Result<(), Error> {
//!         tracing::info!("hello {}", self.0.name);
//!         self.1.report(State::Ok, None); // until then it counts as not ready
//!         while !matches!(inbox.recv().await, Signal::Stop(_)) {}
//!         Ok(())
//!     }
//! }
//!
//! let mut registry = regent_core::Registry::default();
//! registry.plugin::<Greeter>();
//! ```

mod config;
mod inbox;
mod sink;

use std::future::Future;

pub use config::{Known, PluginConfig};
pub use inbox::{Inbox, Mailbox, Reply, Signal};
pub use sink::{DecisionSink, SinkPlugin};

use crate::error::Error;
use crate::host::Host;
pub use crate::roles::Roles;
pub use crate::trigger::TriggerMode;

/// How a plugin takes a changed configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconfigure {
    /// A new instance takes the place of the old one.
    Restart,
    /// The instance is told through its inbox and keeps its state.
    Live,
}

/// Something with a life: configured, started, reconfigured, stopped. See the [module](self) for an example.
pub trait Plugin: Sized + Send + 'static {
    /// Its name in logs, status and health.
    const NAME: &'static str;

    /// The top-level keys that may configure it, the first one present wins; without any, `plugins.NAME` does.
    const SECTIONS: &'static [&'static str] = &[];

    /// How it takes a changed configuration.
    const RECONFIGURE: Reconfigure = Reconfigure::Restart;

    /// Whether it decides how the others are configured: with a section of its own, they only start with a configuration
    /// that it has proposed.
    const LEADS: bool = false;

    /// Whether an instance outlives its section: when a discovered configuration no longer has it, it goes on as it was, and
    /// when the agent's own no longer has it, it goes on with an empty one.
    const STAYS: bool = false;

    /// Whether a section of its own that names no service means the first one.
    const TAKES_FIRST_SERVICE: bool = false;

    /// Its configuration.
    type Config: PluginConfig;

    /// Makes the value. Quick; claims no port, file or task, so the value can simply be dropped.
    ///
    /// # Errors
    /// When it could never run; the configuration is then refused as a whole.
    fn build(config: Self::Config, host: Host) -> Result<Self, Error>;

    /// Extension points that it fills while it runs.
    fn roles(&self) -> Roles {
        Roles::default()
    }

    /// Works until told to stop. Owns all its state, so it needs no locks.
    ///
    /// # Errors
    /// When it cannot go on; its state is then `ERROR`.
    fn run(self, inbox: Inbox<Self::Config>) -> impl Future<Output = Result<(), Error>> + Send;
}
