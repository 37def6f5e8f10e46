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
//! use regent_core::{Error, Host};
//!
//! /// Says hello in the log.
//! struct Greeter(Greeting);
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
//!     fn build(config: Greeting, _host: Host) -> Result<Self, Error> {
//!         Ok(Self(config))
//!     }
//!
//!     async fn run(self, mut inbox: Inbox<Greeting>) -> Result<(), Error> {
//!         tracing::info!("hello {}", self.0.name);
//!         while !matches!(inbox.recv().await, Signal::Stop(_)) {}
//!         Ok(())
//!     }
//! }
//!
//! let mut registry = regent_core::Registry::default();
//! registry.plugin::<Greeter>();
//! ```

mod inbox;
mod sink;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

pub use inbox::{Inbox, Mailbox, Reply, Signal};
pub use sink::{DecisionSink, SinkPlugin};

use crate::config::{ConfigErrors, Keys, Section};
use crate::decision::{DecisionRecorder, SinkHandle};
use crate::error::Error;
use crate::host::Host;
use crate::status::StatusSink;
use crate::trace::Tracer;
use crate::trigger::Triggers;
use crate::value::Value;

/// A plugin's typed configuration. After [`PluginConfig::validate`] it says all that the plugin goes by: one that is equal
/// to that of the running instance changes nothing.
pub trait PluginConfig: DeserializeOwned + JsonSchema + Clone + PartialEq + Send + Sync + 'static {
    /// Checks what types cannot say, and fills in what depends on the rest of the configuration: a service that is not
    /// named, the key behind a name.
    ///
    /// # Errors
    /// Everything that is wrong, each with its key.
    fn validate(&mut self, section: &Section, known: &Known) -> Result<(), ConfigErrors> {
        let _ = (section, known);
        Ok(())
    }

    /// Whether this configuration asks for the plugin to run at all.
    fn is_wanted(&self, known: &Known) -> bool {
        let _ = known;
        true
    }

    /// What holds for keys that may be left out, each with the keys below the section that lead to it, for people who ask.
    /// Keys that are written may be among them.
    fn defaults(&self) -> Vec<(Vec<String>, Value)> {
        Vec::new()
    }
}

/// What a section may refer to in the rest of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Services, in document order.
    pub services: Vec<String>,
    /// What is configured under `keys`.
    pub keys: Keys,
    /// Plugins configured under `plugins`.
    pub plugins: BTreeSet<String>,
    /// The `trigger` of discovery, for sections that it brought.
    pub trigger: Option<TriggerMode>,
}

/// What makes a plugin ask, or tell, a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TriggerMode {
    /// Time.
    #[default]
    Periodic,
    /// Only whoever triggers it.
    Manual,
}

impl TriggerMode {
    /// The mode of a section whose `trigger` says this, below a discovery of that mode.
    ///
    /// # Errors
    /// What is wrong with it, in OPA's words.
    pub fn of(written: Option<&str>, discovery: Option<Self>) -> Result<Self, String> {
        let mode = match written {
            None | Some("") => return Ok(discovery.unwrap_or_default()),
            Some("periodic") => Self::Periodic,
            Some("manual") => Self::Manual,
            Some(other) => return Err(format!(r#"invalid trigger mode {other:?} (want "periodic" or "manual")"#)),
        };
        match discovery.filter(|discovery| *discovery != mode) {
            Some(discovery) => {
                let hint = "hint: check discovery configuration";
                Err(format!("trigger mode mismatch: {} and {} ({hint})", mode.as_str(), discovery.as_str()))
            }
            None => Ok(mode),
        }
    }

    /// As the configuration has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Periodic => "periodic",
            Self::Manual => "manual",
        }
    }
}

/// How a plugin takes a changed configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconfigure {
    /// A new instance takes the place of the old one.
    Restart,
    /// The instance is told through its inbox and keeps its state.
    Live,
}

/// Extension points that a running plugin fills. They are withdrawn when it stops.
#[derive(Clone, Default)]
pub struct Roles {
    /// Takes the events of all decisions.
    pub decision_recorder: Option<Arc<dyn DecisionRecorder>>,
    /// Takes events that `decision_logs.plugin` sends to it.
    pub decision_sink: Option<Arc<dyn SinkHandle>>,
    /// Takes the status reports that `status.plugin` sends to it.
    pub status_sink: Option<Arc<dyn StatusSink>>,
    /// Makes the spans of distributed traces.
    pub tracer: Option<Arc<dyn Tracer>>,
    /// Fetches when asked to.
    pub triggers: Option<Arc<dyn Triggers>>,
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
