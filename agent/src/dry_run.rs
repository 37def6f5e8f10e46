//! Looks at a configuration as a start does, and at what discovery would make of it. Starts nothing.

mod discovery;

use std::path::PathBuf;
use std::time::Duration;

use regent_core::config::{BootConfig, ConfigError, ConfigErrors, ConfigTree, Layers, Leaf, UnknownKey, dotted};
use regent_core::settings::{defaults, warnings};
use regent_core::steering::Steering;
use regent_core::supervisor::Plan;
use regent_core::{Registry, Value};

use crate::assembly::{Assembly, DEFAULT_ENGINE};
use crate::{RunOptions, libraries};
pub(crate) use discovery::{Changes, Discovery};

/// What there is to say of a configuration.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// What would be in effect, key by key. Nothing if the layers cannot be read.
    pub(crate) leaves: Vec<Leaf>,
    /// What holds for keys that no layer has, as far as it is known.
    pub(crate) defaults: Vec<(String, Value)>,
    pub(crate) unknown: Vec<UnknownKey>,
    pub(crate) warnings: Vec<String>,
    /// Why a start would be refused; with discovery, also what keeps sections from starting that wait for it.
    pub(crate) errors: Vec<ConfigError>,
    pub(crate) discovery: Discovery,
}

/// Reads the layers and looks at them, with the plugins of the libraries that they and the directories hold. Discovery is asked for within the limit, or not at all.
pub(crate) async fn check(
    mut registry: Registry,
    layers: &Layers,
    plugin_directories: &[PathBuf],
    discovery: Option<Duration>,
) -> Findings {
    let (boot, tree) = match read(layers) {
        Ok(read) => read,
        Err(errors) => return Findings { errors: errors.0, ..Findings::default() },
    };
    let libraries = match libraries::load(&mut registry, &tree, plugin_directories) {
        Ok(libraries) => libraries,
        Err(errors) => return Findings::new(&tree, Err(errors), Discovery::None),
    };
    let assembly = match Assembly::new(registry, &tree, &RunOptions::default(), Steering::default()) {
        Ok(assembly) => assembly,
        Err(error) => {
            let error = ConfigError::opa(regent_core::error::chain(&error));
            return Findings::new(&tree, Err(error.into()), Discovery::None);
        }
    };
    libraries.attach(assembly.host());
    let checked = assembly.check(&tree);
    let waits = checked.as_ref().map_or(true, |plan| plan.starts("discovery"));
    let Some(section) = tree.section_or_empty(&["discovery"]).filter(|_| waits) else {
        return Findings::new(&tree, checked, Discovery::None);
    };
    let asked = match (&checked, discovery) {
        (Err(_), _) => Err(Discovery::None),
        (Ok(_), None) => Err(Discovery::Skipped),
        (Ok(plan), Some(limit)) => discovery::ask(&assembly, plan, &boot, &section, limit).await,
    };
    match asked {
        Ok(found) => Findings::new(&found.tree, Ok(found.plan), Discovery::Found(found.changes)),
        // The sections that wait for discovery are looked at as if it had brought nothing.
        Err(outcome) => match boot.over("{}") {
            Ok(found) => {
                let all = assembly.check(&found.tree).and_then(|plan| checked.map(|_| plan));
                Findings::new(&found.tree, all, outcome)
            }
            Err(errors) => Findings::new(&tree, Err(errors), outcome),
        },
    }
}

fn read(layers: &Layers) -> Result<(BootConfig, ConfigTree), ConfigErrors> {
    let boot = layers.read()?;
    let tree = boot.tree()?;
    Ok((boot, tree))
}

impl Findings {
    /// Whether a start would be refused, or what was discovered.
    pub(crate) fn is_refused(&self) -> bool {
        !self.errors.is_empty() || matches!(&self.discovery, Discovery::Refused(_))
    }

    /// What there is to say of a configuration that would be in effect, were nothing wrong with it.
    fn new(tree: &ConfigTree, checked: Result<Plan, ConfigErrors>, discovery: Discovery) -> Self {
        let (plan, errors) = match checked {
            Ok(plan) => (Some(plan), Vec::new()),
            Err(errors) => (None, errors.0),
        };
        Self {
            leaves: tree.leaves(),
            defaults: known_defaults(tree, plan.as_ref()),
            unknown: tree.unknown_keys(),
            warnings: plan.as_ref().map_or_else(|| warnings(tree), |plan| plan.warnings().to_vec()),
            errors,
            discovery,
        }
    }
}

/// What holds for keys that the configuration does not have.
fn known_defaults(tree: &ConfigTree, plan: Option<&Plan>) -> Vec<(String, Value)> {
    let agent = plan.map(|plan| defaults(plan.settings())).unwrap_or_default();
    let agent = agent.into_iter().chain([("engine", DEFAULT_ENGINE.into())]);
    let agent = agent.map(|(key, value)| (key.split('.').map(str::to_owned).collect(), value));
    let sections = plan.map(|plan| plan.defaults().to_vec()).unwrap_or_default();
    let absent = |path: &Vec<String>| tree.value().at(path).is_none_or(Value::is_null);
    let known = agent.chain(sections).filter(|(path, _)| absent(path));
    known.map(|(path, value)| (dotted(&path), value)).collect()
}
