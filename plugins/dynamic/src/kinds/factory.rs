//! Plugins with a life and sinks, which the supervisor makes from their sections.

use std::sync::Arc;

use regent_core::config::{ConfigErrors, Section};
use regent_core::plugin::{Known, Reconfigure};
use regent_core::registry::{AnyConfig, Factory, Instance as Prospect, Prepared};
use regent_core::{Error, Host};
use regent_plugin_abi as abi;

use super::config::Config;
use super::{managed, sink};
use crate::answer::Failure;
use crate::attached::Attached;
use crate::exported::Exported;
use crate::table::Functions;

/// Makes instances of a plugin of a library.
pub(crate) struct DynamicFactory(pub(crate) Arc<Exported>);

impl Factory for DynamicFactory {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn sections(&self) -> &'static [&'static str] {
        &[]
    }

    fn reconfigure(&self) -> Reconfigure {
        if self.0.has(abi::LIVE) { Reconfigure::Live } else { Reconfigure::Restart }
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({"type": "object"})
    }

    fn prepare(&self, section: &Section, _: &Known) -> Result<Option<Box<dyn Prepared>>, ConfigErrors> {
        let config = Config::checked(&self.0, section)?;
        Ok(Some(Box::new(Checked { exported: self.0.clone(), config })))
    }
}

/// A checked configuration, and whose it is.
struct Checked {
    exported: Arc<Exported>,
    config: Config,
}

impl Prepared for Checked {
    fn build(self: Box<Self>, host: Host) -> Result<Box<dyn Prospect>, Error> {
        let Self { exported, config } = *self;
        let attached = Attached::new(exported.name);
        attached.attach(&host);
        match exported.functions {
            Functions::Sink(functions) => sink::build(&exported, attached, config.json, functions),
            Functions::Managed(functions) => managed::build(&exported, attached, config.json, functions),
            Functions::Ask(_) | Functions::Credential(_) => Err(Failure::Panicked.into_error(exported.name)),
        }
    }

    fn config(&self) -> AnyConfig {
        Box::new(self.config.clone())
    }

    fn is_same(&self, other: &AnyConfig) -> bool {
        other.downcast_ref::<Config>() == Some(&self.config)
    }
}
