//! Checks a configuration and builds what it asks for, without touching what runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::services::{self, Connected};
use super::{Active, Change};
use crate::config::{ConfigError, ConfigErrors, ConfigTree, Keys, Section, UnknownKey};
use crate::host::Host;
use crate::plugin::{Known, Reconfigure, TriggerMode};
use crate::registry::{Factory, Registry};
use crate::service::Service;
use crate::settings::{self, Settings};
use crate::value::Value;

/// A configuration that was checked, with all that it asks for. Nothing of it has had any effect.
pub struct Plan {
    pub(super) known: Known,
    pub(super) settings: Settings,
    pub(super) services: BTreeMap<String, Arc<dyn Service>>,
    /// Running plugins that go on: unchanged ones, and those that are told.
    pub(super) kept: Vec<&'static str>,
    /// In start order.
    pub(super) changes: Vec<Change>,
    pub(super) warnings: Vec<String>,
    pub(super) unknown: Vec<UnknownKey>,
    defaults: Vec<(Vec<String>, Value)>,
}

impl Plan {
    /// What sections may refer to.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// What the whole agent would go by.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What holds for keys of plugins' sections that may be left out, each with all keys that lead to it.
    pub fn defaults(&self) -> &[(Vec<String>, Value)] {
        &self.defaults
    }

    /// What the author of the configuration should know, unknown keys apart.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The clients of the configured services.
    pub fn services(&self) -> BTreeMap<String, Arc<dyn Service>> {
        self.services.clone()
    }

    /// Whether a plugin would be started.
    pub fn starts(&self, plugin: &str) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::Start { name, .. } if *name == plugin))
    }
}

/// What runs and what may run.
struct Planner<'a> {
    host: &'a Host,
    running: &'a [Active],
    known: Known,
    /// What the section may refer to that decides about the others: nothing that came by its own decision.
    known_at_start: Known,
    kept: Vec<&'static str>,
    changes: Vec<Change>,
    defaults: Vec<(Vec<String>, Value)>,
    errors: Vec<ConfigError>,
}

pub(super) fn plan(
    registry: &Registry,
    host: &Host,
    running: &[Active],
    tree: &ConfigTree,
    settings: Result<Settings, ConfigErrors>,
) -> Result<Plan, ConfigErrors> {
    let (settings, mut errors) = match settings {
        Ok(settings) => (Some(settings), Vec::new()),
        Err(wrong) => (None, wrong.0),
    };
    let Connected { services, errors: wrong, warnings: unused } = services::connect(registry, tree);
    errors.extend(wrong);
    errors.extend(unregistered(registry, tree));
    let (keys, wrong_keys) = Keys::read(tree);
    errors.extend(wrong_keys);
    note_unknown(registry, tree);
    let known = known(tree, keys);
    let (kept, changes, defaults) = (Vec::new(), Vec::new(), Vec::new());
    let known_at_start = known_at_start(tree, &known);
    let mut planner = Planner { host, running, known, known_at_start, kept, changes, defaults, errors };
    let leader = registry.plugins.iter().any(|factory| factory.leads() && section_of(&**factory, tree).is_some());
    for (order, factory) in registry.plugins.iter().enumerate() {
        if leader && !tree.is_discovered() && !factory.leads() {
            continue;
        }
        match section_of(&**factory, tree) {
            Some(section) => planner.consider(&**factory, order, &section),
            None if factory.stays() && planner.runs(factory.name()) => {
                if tree.is_discovered() {
                    planner.kept.push(factory.name());
                } else if let Some(key) = factory.sections().last() {
                    // What it keeps up has to be taken down, which only the instance itself can do.
                    planner.consider(&**factory, order, &tree.empty_section(key));
                }
            }
            None => {}
        }
    }
    let Planner { known, kept, changes, defaults, errors, .. } = planner;
    let Some(settings) = settings.filter(|_| errors.is_empty()) else { return Err(ConfigErrors(errors)) };
    let warnings = settings::warnings(tree).into_iter().chain(unused).collect();
    Ok(Plan { known, settings, services, kept, changes, warnings, unknown: tree.unknown_keys(), defaults })
}

impl Planner<'_> {
    fn runs(&self, name: &str) -> bool {
        self.running.iter().any(|active| active.name == name)
    }

    fn consider(&mut self, factory: &dyn Factory, order: usize, section: &Section) {
        let name = factory.name();
        let known = if factory.leads() { &self.known_at_start } else { &self.known };
        let prepared = match factory.prepare(section, known) {
            Ok(Some(prepared)) => prepared,
            Ok(None) => return,
            Err(errors) => return self.errors.extend(errors.0),
        };
        let below = |(path, value): (Vec<String>, Value)| ([section.path(), &path[..]].concat(), value);
        self.defaults.extend(prepared.defaults().into_iter().map(below));
        let mut alive = self.running.iter().filter(|active| !active.task.has_ended());
        let active = alive.find(|active| active.name == name);
        if active.is_some_and(|active| prepared.is_same(&active.config)) {
            self.kept.push(name);
        } else if active.is_some() && factory.reconfigure() == Reconfigure::Live {
            self.kept.push(name);
            self.changes.push(Change::Tell { name, prepared });
        } else {
            let config = prepared.config();
            match prepared.build(self.host.for_plugin(name)) {
                Ok(instance) => self.changes.push(Change::Start { name, order, config, instance }),
                Err(error) => self.errors.push(section.error("", error.chain())),
            }
        }
    }
}

fn section_of(factory: &dyn Factory, tree: &ConfigTree) -> Option<Section> {
    match factory.sections() {
        [] => tree.section_or_empty(&["plugins", factory.name()]),
        keys => keys.iter().find_map(|key| tree.section_or_empty(&[key])),
    }
}

fn known(tree: &ConfigTree, keys: Keys) -> Known {
    let written = tree.get(&["discovery", "trigger"]).and_then(crate::Value::as_str);
    // What is wrong with it is for discovery to say.
    let trigger = TriggerMode::of(written, None).ok().filter(|_| tree.is_discovered());
    let (services, plugins) = (tree.service_names().to_vec(), plugin_names(tree).collect());
    Known { services, keys, plugins, trigger }
}

/// The same without what was discovered.
fn known_at_start(tree: &ConfigTree, known: &Known) -> Known {
    let services = known.services.iter().filter(|name| tree.is_from_start(&["services", name])).cloned();
    let keys = known.keys.filtered(|id| tree.is_from_start(&["keys", id]));
    Known { services: services.collect(), keys, ..known.clone() }
}

fn plugin_names(tree: &ConfigTree) -> impl Iterator<Item = String> {
    let entries = tree.get(&["plugins"]).and_then(crate::Value::as_object).cloned().unwrap_or_default();
    entries.iter().filter_map(|(key, _)| key.as_str().map(str::to_owned)).collect::<Vec<_>>().into_iter()
}

fn unregistered(registry: &Registry, tree: &ConfigTree) -> Vec<ConfigError> {
    // Credentials that are chosen by `credentials.plugin` have their section here too.
    let custom = |name: &str| {
        registry.plugins.iter().any(|f| f.sections().is_empty() && f.name() == name)
            || registry.credentials.contains_key(name)
    };
    plugin_names(tree)
        .filter(|name| !custom(name))
        .map(|name| {
            let wrong = ConfigError::opa(format!("plugin {name:?} not registered"));
            let remedy = format!("take plugins.{name} out, or run an agent that was built with the plugin");
            wrong.from_layer(tree.origin(&["plugins", &name])).with_remedy(remedy)
        })
        .collect()
}

fn note_unknown(registry: &Registry, tree: &ConfigTree) {
    let plugins = registry.plugins.iter().flat_map(|factory| factory.sections());
    let agent = settings::KEYS.iter().map(|(key, _)| key).filter(|key| !key.contains('.'));
    let known: Vec<&str> = agent.chain(plugins).copied().collect();
    let entries = tree.value().as_object().cloned().unwrap_or_default();
    let unknown = entries.iter().filter_map(|(key, _)| key.as_str()).filter(|key| !known.contains(key));
    unknown.for_each(|key| tree.note_unknown(UnknownKey::new(key, &known, tree.origin(&[key]))));
}
