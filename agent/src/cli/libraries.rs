//! The flag that names directories of plugins, the same for every command that uses them.

use std::path::PathBuf;

use regent_core::Registry;
use regent_core::config::{ConfigTree, Layers};
use regent_core::error::chain;
use regent_dynamic::PluginLibraries;

use crate::libraries::load;

#[derive(Debug, clap::Args)]
pub(super) struct Directories {
    /// Load plugins from the shared libraries in DIRECTORY. May be repeated.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) plugin_dir: Vec<PathBuf>,
}

impl Directories {
    /// Loads the libraries in the directories, and adds their plugins.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub(super) fn load(&self, registry: &mut Registry) -> Result<PluginLibraries, String> {
        load(registry, &ConfigTree::default(), &self.plugin_dir).map_err(|errors| chain(&errors))
    }

    /// The same with those that the configuration names.
    ///
    /// # Errors
    /// What is wrong with one of them, or with the configuration.
    pub(super) fn load_beside(&self, registry: &mut Registry, config: &Layers) -> Result<PluginLibraries, String> {
        let tree = config.read().and_then(|boot| boot.tree()).map_err(|errors| chain(&errors))?;
        load(registry, &tree, &self.plugin_dir).map_err(|errors| chain(&errors))
    }
}
