//! Looks at a configuration as a start does, and at what discovery would make of it. Starts nothing.

mod bench;
mod discovery;

use std::time::Duration;

use regent_core::config::{BootConfig, ConfigError, ConfigErrors, ConfigTree, Layers, Leaf, UnknownKey, dotted};
use regent_core::settings::{defaults, warnings};
use regent_core::supervisor::Plan;
use regent_core::{Registry, Value};

use crate::running::DEFAULT_ENGINE;
use bench::Bench;
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
    let mut plan = bench.plan(&tree, &mut findings.errors);
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
        plan = whole.as_ref().and_then(|whole| bench.plan(whole, &mut findings.errors)).or(plan);
    }
    findings.unknown = tree.unknown_keys();
    findings.describe(whole.as_ref().unwrap_or(&tree), plan.as_ref());
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
    fn describe(&mut self, tree: &ConfigTree, plan: Option<&Plan>) {
        self.leaves = tree.leaves();
        self.unknown.extend(tree.unknown_keys());
        self.unknown.sort();
        self.unknown.dedup();
        self.warnings = plan.map_or_else(|| warnings(tree), |plan| plan.warnings().to_vec());
        let agent = plan.map(|plan| defaults(plan.settings())).unwrap_or_default();
        let agent = agent.into_iter().chain([("engine", DEFAULT_ENGINE.into())]);
        let agent = agent.map(|(key, value)| (key.split('.').map(str::to_owned).collect(), value));
        let sections = plan.map(|plan| plan.defaults().to_vec()).unwrap_or_default();
        let absent = |path: &Vec<String>| tree.value().at(path).is_none_or(Value::is_null);
        let known = agent.chain(sections).filter(|(path, _)| absent(path));
        self.defaults = known.map(|(path, value)| (dotted(&path), value)).collect();
    }
}
