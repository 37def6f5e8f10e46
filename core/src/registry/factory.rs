//! The object-safe form of a plugin. Compiled-in plugins and those of shared libraries meet here.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::config::{ConfigErrors, Section};
use crate::error::Error;
use crate::host::Host;
use crate::plugin::{Known, Mailbox, Plugin, PluginConfig as _, Reconfigure, Roles};
use crate::service::BoxFuture;
use crate::value::Value;

/// Makes instances of one plugin.
pub trait Factory: Send + Sync {
    /// The plugin's name.
    fn name(&self) -> &'static str;

    /// As [`Plugin::SECTIONS`].
    fn sections(&self) -> &'static [&'static str];

    /// How a running instance takes a changed configuration.
    fn reconfigure(&self) -> Reconfigure;

    /// As [`Plugin::LEADS`].
    fn leads(&self) -> bool {
        false
    }

    /// As [`Plugin::STAYS`].
    fn stays(&self) -> bool {
        false
    }

    /// As [`Plugin::TAKES_FIRST_SERVICE`].
    fn takes_first_service(&self) -> bool {
        false
    }

    /// The JSON Schema of the section.
    fn schema(&self) -> serde_json::Value;

    /// Parses and validates the section. No effects. Nothing comes back if the section asks for nothing.
    ///
    /// # Errors
    /// Everything that is wrong with the section.
    fn prepare(&self, section: &Section, known: &Known) -> Result<Option<Box<dyn Prepared>>, ConfigErrors>;
}

/// The checked configuration of a plugin that only the plugin knows.
pub type AnyConfig = Box<dyn Any + Send + Sync>;

/// A checked configuration.
pub trait Prepared: Send + Sync {
    /// Makes an instance.
    ///
    /// # Errors
    /// When it could never run.
    fn build(self: Box<Self>, host: Host) -> Result<Box<dyn Instance>, Error>;

    /// The configuration itself.
    fn config(&self) -> AnyConfig;

    /// Whether the configuration is equal to another one.
    fn is_same(&self, other: &AnyConfig) -> bool;

    /// As [`crate::plugin::PluginConfig::defaults`].
    fn defaults(&self) -> Vec<(Vec<String>, Value)> {
        Vec::new()
    }
}

/// An instance that does not run yet.
pub trait Instance: Send {
    /// As [`Plugin::roles`].
    fn roles(&self) -> Roles;

    /// Its signals, and the future that is its life.
    fn start(self: Box<Self>) -> Running;
}

/// A plugin's life, for a task to drive.
pub struct Running {
    /// Where its signals go.
    pub mailbox: Mailbox,
    /// Done when it has ended.
    pub life: BoxFuture<'static, Result<(), Error>>,
}

/// The factory of a plugin that is written against the typed trait.
pub(super) fn typed<P: Plugin>() -> Arc<dyn Factory> {
    Arc::new(Typed::<P>(PhantomData))
}

struct Typed<P>(PhantomData<fn() -> P>);

impl<P: Plugin> Factory for Typed<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn sections(&self) -> &'static [&'static str] {
        P::SECTIONS
    }

    fn reconfigure(&self) -> Reconfigure {
        P::RECONFIGURE
    }

    fn leads(&self) -> bool {
        P::LEADS
    }

    fn stays(&self) -> bool {
        P::STAYS
    }

    fn takes_first_service(&self) -> bool {
        P::TAKES_FIRST_SERVICE
    }

    fn schema(&self) -> serde_json::Value {
        schemars::schema_for!(P::Config).to_value()
    }

    fn prepare(&self, section: &Section, known: &Known) -> Result<Option<Box<dyn Prepared>>, ConfigErrors> {
        let mut config = section.parse::<P::Config>()?;
        config.validate(section, known)?;
        Ok(config.is_wanted(known).then(|| Box::new(Checked::<P> { config }) as Box<dyn Prepared>))
    }
}

struct Checked<P: Plugin> {
    config: P::Config,
}

impl<P: Plugin> Prepared for Checked<P> {
    fn build(self: Box<Self>, host: Host) -> Result<Box<dyn Instance>, Error> {
        Ok(Box::new(Built(P::build(self.config, host)?)))
    }

    fn config(&self) -> AnyConfig {
        Box::new(self.config.clone())
    }

    fn is_same(&self, other: &AnyConfig) -> bool {
        other.downcast_ref() == Some(&self.config)
    }

    fn defaults(&self) -> Vec<(Vec<String>, Value)> {
        self.config.defaults()
    }
}

struct Built<P>(P);

impl<P: Plugin> Instance for Built<P> {
    fn roles(&self) -> Roles {
        self.0.roles()
    }

    fn start(self: Box<Self>) -> Running {
        let (mailbox, inbox) = Mailbox::new();
        Running { mailbox, life: Box::pin(self.0.run(inbox)) }
    }
}
