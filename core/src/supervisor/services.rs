//! Makes the clients of the configured services.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::{ConfigError, ConfigTree, Section};
use crate::registry::{Factory, Registry};
use crate::service::{Service, ServiceConnector};
use crate::value::{Value, View};

/// The clients of services, and what is wrong with those that cannot be made.
#[derive(Default)]
pub(super) struct Connected {
    pub(super) services: BTreeMap<String, Arc<dyn Service>>,
    pub(super) errors: Vec<ConfigError>,
    pub(super) warnings: Vec<String>,
}

pub(super) fn connect(registry: &Registry, tree: &ConfigTree) -> Connected {
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
                    if !is_used(registry, tree, name)
                        && is_sound_but_for_credentials(registry, &**connector, &section) =>
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

/// Whether some section names a service, or may take it because it is the first one.
fn is_used(registry: &Registry, tree: &ConfigTree, service: &str) -> bool {
    let is_first = tree.service_names().first().is_some_and(|first| first == service);
    let entries = tree.value().as_object().into_iter().flatten();
    let mut others = entries.filter(|(key, _)| key.as_str() != Some("services"));
    let may_take_it = |factory: &Arc<dyn Factory>| {
        factory.takes_first_service() && factory.sections().iter().any(|key| tree.get(&[key]).is_some())
    };
    is_first && registry.plugins.iter().any(may_take_it) || others.any(|(_, value)| names(value, service))
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
