//! Checks a configuration and builds what it asks for, without touching what runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Active, Change};
use crate::config::{ConfigError, ConfigErrors, ConfigTree, Keys, Section, UnknownKey};
use crate::host::Host;
use crate::plugin::{Known, Reconfigure, TriggerMode};
use crate::registry::{Factory, Registry};
use crate::service::{Service, ServiceConnector};
use crate::settings::{self, Settings};
use crate::value::{Value, View};

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
    defaults: Vec<(Vec<String>, Value)>,
}

/// What runs, the service that its sections mean when they name none, and the keys that they may mean.
pub(super) struct Present<'a> {
    pub(super) running: &'a [Active],
    pub(super) first_service: Option<&'a str>,
    pub(super) keys: &'a Keys,
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
    present: Present<'a>,
    known: Known,
    kept: Vec<&'static str>,
    changes: Vec<Change>,
    defaults: Vec<(Vec<String>, Value)>,
    errors: Vec<ConfigError>,
}

pub(super) fn plan(
    registry: &Registry,
    host: &Host,
    present: Present<'_>,
    tree: &ConfigTree,
    settings: Result<Settings, ConfigErrors>,
) -> Result<Plan, ConfigErrors> {
    let (settings, mut errors) = match settings {
        Ok(settings) => (Some(settings), Vec::new()),
        Err(wrong) => (None, wrong.0),
    };
    let Connected { services, errors: wrong, warnings: unused } = connect(registry, tree);
    errors.extend(wrong);
    errors.extend(unregistered(registry, tree));
    let (keys, wrong_keys) = Keys::read(tree);
    errors.extend(wrong_keys);
    note_unknown(registry, tree);
    let known = known(tree, keys);
    let (kept, changes, defaults) = (Vec::new(), Vec::new(), Vec::new());
    let mut planner = Planner { host, present, known, kept, changes, defaults, errors };
    let leader = registry.plugins.iter().any(|factory| factory.leads() && section_of(&**factory, tree).is_some());
    for (order, factory) in registry.plugins.iter().enumerate() {
        if leader && !tree.is_discovered() && !factory.leads() {
            continue;
        }
        match section_of(&**factory, tree) {
            Some(section) => planner.consider(&**factory, order, section),
            None if factory.stays() && planner.runs(factory.name()) => {
                if tree.is_discovered() {
                    planner.kept.push(factory.name());
                } else if let Some(key) = factory.sections().last() {
                    // What it keeps up has to be taken down, which only the instance itself can do.
                    planner.consider(&**factory, order, tree.empty_section(key));
                }
            }
            None => {}
        }
    }
    let Planner { known, kept, changes, defaults, errors, .. } = planner;
    let Some(settings) = settings.filter(|_| errors.is_empty()) else { return Err(ConfigErrors(errors)) };
    let unknown = tree.unknown_keys();
    let told = tree.warnings().iter().cloned().chain(unknown.iter().map(ToString::to_string));
    let warnings = told.chain(unused).collect();
    Ok(Plan { known, settings, services, kept, changes, warnings, defaults })
}

impl Planner<'_> {
    fn runs(&self, name: &str) -> bool {
        self.present.running.iter().any(|active| active.name == name)
    }

    fn consider(&mut self, factory: &dyn Factory, order: usize, section: Section) {
        let name = factory.name();
        let parts = match factory.prepare(&section, &self.known) {
            Ok(parts) => parts,
            Err(errors) => return self.errors.extend(errors.0),
        };
        let Some(prepared) = parts.prepared else { return };
        let below = |(path, value): (Vec<String>, Value)| ([section.path(), &path[..]].concat(), value);
        self.defaults.extend(prepared.defaults().into_iter().map(below));
        let mut alive = self.present.running.iter().filter(|active| !active.life.has_ended());
        let active = alive.find(|active| active.name == name);
        // A section that names no service changes its meaning with the first one.
        let same_service = self.known.services.first().map(String::as_str) == self.present.first_service;
        let same_keys = !factory.verifies() || self.known.keys == *self.present.keys;
        if active.is_some_and(|active| same_service && same_keys && active.section == section) {
            self.kept.push(name);
        } else if active.is_some() && factory.reconfigure() == Reconfigure::Live {
            self.kept.push(name);
            self.changes.push(Change::Tell { name, section, prepared });
        } else {
            match prepared.build(self.host.for_plugin(name)) {
                Ok(instance) => self.changes.push(Change::Start { name, order, section, instance }),
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

/// The clients of services, and what is wrong with those that cannot be made.
#[derive(Default)]
struct Connected {
    services: BTreeMap<String, Arc<dyn Service>>,
    errors: Vec<ConfigError>,
    warnings: Vec<String>,
}

fn connect(registry: &Registry, tree: &ConfigTree) -> Connected {
    let mut all = Connected::default();
    for name in tree.service_names() {
        let Some(section) = tree.section(&["services", name]) else {
            continue;
        };
        let kind = section.value().get("type").and_then(Value::as_str).unwrap_or_default();
        match registry.connectors.get(&*kind.to_lowercase()) {
            None => {
                let kinds: Vec<_> = registry.connectors.keys().map(|kind| format!("{kind:?}")).collect();
                let wrong = section.error("type", format!("service type {kind:?} is not known"));
                all.errors.push(wrong.with_remedy(format!("take one of {}, or leave it out", kinds.join(", "))));
            }
            Some(connector) => match connector.connect(&section, &registry.credentials) {
                Ok(service) => drop(all.services.insert(name.clone(), service)),
                // OPA would find out at the first request, and there will be none.
                Err(wrong)
                    if !is_used(tree, name) && is_sound_but_for_credentials(registry, &**connector, &section) =>
                {
                    let warning = |error| format!("service {name:?}, which nothing uses, cannot be asked: {error}");
                    all.warnings.extend(wrong.0.iter().map(warning));
                }
                Err(wrong) => all.errors.extend(wrong.0),
            },
        }
    }
    all
}

fn is_sound_but_for_credentials(registry: &Registry, connector: &dyn ServiceConnector, section: &Section) -> bool {
    connector.connect(&section.without("credentials"), &registry.credentials).is_ok()
}

/// Whether some section names a service, or takes it because it is the first one and no other is named.
fn is_used(tree: &ConfigTree, service: &str) -> bool {
    const ASKERS: [&str; 5] = ["bundle", "bundles", "decision_logs", "discovery", "status"];
    let is_first = tree.service_names().first().is_some_and(|first| first == service);
    let entries = tree.value().as_object().into_iter().flatten();
    let mut others = entries.filter(|(key, _)| key.as_str() != Some("services"));
    is_first && ASKERS.iter().any(|asker| tree.get(&[asker]).is_some())
        || others.any(|(_, value)| names(value, service))
}

/// Whether `service: NAME` stands anywhere in a value.
fn names(value: &Value, service: &str) -> bool {
    match value.view() {
        View::Object(entries) => entries.iter().any(|(key, below)| {
            key.as_str() == Some("service") && below.as_str() == Some(service) || names(below, service)
        }),
        View::Array(items) => items.iter().any(|item| names(item, service)),
        _ => false,
    }
}

fn known(tree: &ConfigTree, keys: Keys) -> Known {
    let written = tree.get(&["discovery", "trigger"]).and_then(crate::Value::as_str);
    // What is wrong with it is for discovery to say.
    let trigger = TriggerMode::of(written, None).ok().filter(|_| tree.is_discovered());
    let (services, plugins) = (tree.service_names().to_vec(), plugin_names(tree).collect());
    Known { services, keys, plugins, trigger }
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
    let known: Vec<&str> = settings::KEYS.iter().chain(&registry.sections).chain(plugins).copied().collect();
    let entries = tree.value().as_object().cloned().unwrap_or_default();
    let unknown = entries.iter().filter_map(|(key, _)| key.as_str()).filter(|key| !known.contains(key));
    unknown.for_each(|key| tree.note_unknown(UnknownKey::new(key, &known, tree.origin(&[key]))));
}
