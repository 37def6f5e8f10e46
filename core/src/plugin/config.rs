//! A plugin's part of the configuration.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::config::{ConfigErrors, Keys, Section};
use crate::trigger::TriggerMode;
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
