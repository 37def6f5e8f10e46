//! The configuration that the agent was started with.

use std::sync::Arc;

use super::environment::Lookup;
use super::error::ConfigErrors;
use super::merge::Layer;
use super::tree::ConfigTree;

/// What the agent was started with, read but not merged.
pub struct BootConfig {
    pub(super) layers: Vec<Layer>,
    pub(super) warnings: Vec<String>,
    pub(super) lookup: Arc<Lookup>,
    pub(super) strict: bool,
}

impl BootConfig {
    /// The configuration of the start alone.
    ///
    /// # Errors
    /// When its services are malformed.
    pub fn tree(&self) -> Result<ConfigTree, ConfigErrors> {
        ConfigTree::merged(&self.layers, false, self.warnings.clone())
    }
}
