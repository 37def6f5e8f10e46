//! Plugins of shared libraries, as the configuration and directories name them.

use std::path::PathBuf;

use regent_core::Registry;
use regent_core::config::{ConfigError, ConfigErrors, ConfigTree};
use regent_dynamic::{LoadError, PluginLibraries, entries};

/// Loads the libraries of the configuration and of directories, and adds their plugins.
///
/// # Errors
/// When a library may not or cannot be loaded, or has what is there already.
pub(crate) fn load(
    registry: &mut Registry,
    tree: &ConfigTree,
    directories: &[PathBuf],
) -> Result<PluginLibraries, ConfigErrors> {
    let refused = |error: LoadError| ConfigErrors::from(ConfigError::opa(error.to_string()));
    let mut libraries = PluginLibraries::load(&entries(tree, directories)?).map_err(refused)?;
    libraries.register(registry).map_err(refused)?;
    Ok(libraries)
}
