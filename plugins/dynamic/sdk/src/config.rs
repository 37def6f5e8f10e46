//! The configuration of a plugin.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A plugin's typed configuration.
pub trait PluginConfig: DeserializeOwned {
    /// Checks what types cannot say.
    ///
    /// # Errors
    /// Everything that is wrong.
    fn validate(&self) -> Result<(), Vec<ConfigError>> {
        Ok(())
    }
}

/// Something that is wrong with a configuration. The agent shows the whole key, and the file that it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigError {
    key: String,
    message: String,
}

impl ConfigError {
    /// What is wrong with a key of the plugin's section, which may be dotted; empty for the section itself.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

/// The configuration of a plugin that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct NoConfig {}

impl PluginConfig for NoConfig {}

/// Reads a configuration.
pub(crate) fn read<C: PluginConfig>(json: &[u8]) -> Result<C, Vec<ConfigError>> {
    let deserializer = &mut serde_json::Deserializer::from_slice(json);
    let config: C = serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let text = error.inner().to_string();
        // The agent knows the place better than a line of its own JSON.
        let text = text.split(" at line ").next().unwrap_or_default();
        vec![ConfigError::new(if path == "." { "" } else { &path }, text)]
    })?;
    config.validate()?;
    Ok(config)
}
