//! Looks at a configuration as a start does, and at what discovery would make of it. Starts nothing.

mod bench;
mod discovery;

use std::time::Duration;

use regent_core::config::{BootConfig, ConfigError, ConfigErrors, ConfigTree, Layers, Leaf, UnknownKey};
use regent_core::settings::{Settings, defaults};
use regent_core::{Registry, Value};

use crate::running::DEFAULT_ENGINE;
use crate::unsupported;
use bench::Bench;
pub(crate) use discovery::{Changes, Discovery};

/// What there is to say of a configuration.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// What would be in effect, key by key. Nothing if the layers cannot be read.
    pub(crate) leaves: Vec<Leaf>,
    /// What holds for keys of the agent as a whole that no layer has.
    pub(crate) defaults: Vec<(&'static str, Value)>,
    pub(crate) unknown: Vec<UnknownKey>,
    pub(crate) warnings: Vec<String>,
    /// Why a start would be refused; with discovery, also what keeps sections from starting that wait for it.
    pub(crate) errors: Vec<ConfigError>,
    pub(crate) discovery: Discovery,
}

/// Reads the layers and looks at them. Discovery is asked for within the limit, or not at all.
pub(crate) async fn check(registry: Registry, layers: &Layers, discovery: Option<Duration>) -> Findings {
    let (boot, tree) = match read(layers) {
        Ok(read) => read,
        Err(errors) => return Findings { errors: errors.0, ..Findings::default() },
    };
    let mut findings = Findings::default();
    let bench = match Bench::new(registry, &tree, &mut findings.errors) {
        Ok(bench) => bench,
        Err(error) => {
            findings.errors.push(ConfigError::opa(error.chain()));
            findings.describe(&tree, None);
            return findings;
        }
    };
    let plan = bench.plan(&tree, &mut findings.errors);
    let mut settings = plan.as_ref().map(|plan| plan.settings().clone());
    let mut whole = None;
    if let Some(section) = tree.section_or_empty(&["discovery"])
        && plan.as_ref().is_none_or(|plan| plan.starts("discovery"))
    {
        findings.discovery = match (&plan, discovery) {
            (None, _) => Discovery::None,
            (Some(_), None) => Discovery::Skipped,
            (Some(plan), Some(limit)) => discovery::ask(&bench, plan, &boot, &section, limit).await,
        };
        whole = match &findings.discovery {
            Discovery::Found(changes) => Some(changes.tree.clone()),
            // The sections that wait for discovery are looked at as if it had brought nothing.
            _ => boot.over("{}").ok().map(|found| found.tree),
        };
        let plan = whole.as_ref().and_then(|whole| bench.plan(whole, &mut findings.errors));
        settings = plan.map(|plan| plan.settings().clone()).or(settings);
    }
    findings.unknown = tree.unknown_keys();
    findings.describe(whole.as_ref().unwrap_or(&tree), settings.as_ref());
    findings
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

    /// Notes what there is to say of the configuration that would be in effect.
    fn describe(&mut self, tree: &ConfigTree, settings: Option<&Settings>) {
        self.leaves = tree.leaves();
        self.unknown.extend(tree.unknown_keys());
        self.unknown.sort();
        self.unknown.dedup();
        self.warnings = tree.warnings().iter().cloned().chain(unsupported::warnings(tree)).collect();
        if let Discovery::Found(changes) = &self.discovery {
            self.warnings.extend(changes.without_effect());
        }
        let absent = |key: &str| tree.get(&key.split('.').collect::<Vec<_>>()).is_none();
        let known = settings.into_iter().flat_map(defaults).chain([("engine", DEFAULT_ENGINE.into())]);
        self.defaults = known.filter(|(key, _)| absent(key)).collect();
    }
}
