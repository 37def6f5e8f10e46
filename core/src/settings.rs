//! Top-level settings that belong to no plugin.

use std::path::PathBuf;

use crate::caching::Caching;
use crate::config::{ConfigError, ConfigErrors, ConfigTree};
use crate::value::{Path, Value, View};

/// When the value of a key takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// While the agent runs.
    AtOnce,
    /// Only when the agent starts, and not where it is discovered.
    AtStart,
    /// Never: nothing acts upon it yet. The agent runs without, with less.
    Never,
}

/// Keys that configure the agent as a whole, beside those of the plugins. Dotted ones are about a part of a section.
pub const KEYS: &[(&str, Effect)] = &[
    ("services", Effect::AtOnce),
    ("labels", Effect::AtOnce),
    ("plugins", Effect::AtOnce),
    ("keys", Effect::AtOnce),
    ("default_decision", Effect::AtOnce),
    ("default_authorization_decision", Effect::AtOnce),
    ("caching", Effect::AtOnce),
    ("nd_builtin_cache", Effect::AtOnce),
    ("persistence_directory", Effect::AtOnce),
    ("distributed_tracing", Effect::AtOnce),
    ("discovery", Effect::AtOnce),
    ("data_updates", Effect::AtOnce),
    ("engine", Effect::AtStart),
    ("plugin_libraries", Effect::AtStart),
    ("server", Effect::AtStart),
    ("server.logger_plugin", Effect::Never),
    ("metrics_export", Effect::Never),
    ("storage", Effect::Never),
];

/// Who this agent is.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// A UUID made at start.
    pub id: String,
    /// The agent's version.
    pub version: String,
}

/// What the whole agent goes by.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who this agent is.
    pub identity: Identity,
    /// The configured labels with `id` and `version`.
    pub labels: Value,
    /// The document that `POST /` answers with.
    pub default_decision: Path,
    /// The document that authorizes requests.
    pub default_authorization_decision: Path,
    /// Where plugins may keep files.
    pub persistence_directory: PathBuf,
    /// Whether calls of non-deterministic built-in functions are recorded.
    pub nd_builtin_cache: bool,
    /// How much built-in functions may keep from one query to the next.
    pub caching: Caching,
    /// The active configuration without secrets, as `/v1/config` shows it.
    pub shown: Value,
}

impl Settings {
    /// Reads them from the configuration.
    ///
    /// # Errors
    /// When keys have the wrong type.
    pub fn from_tree(tree: &ConfigTree, identity: Identity) -> Result<Self, ConfigErrors> {
        let mut errors = Vec::new();
        let default_decision = decision(tree, "default_decision", "/system/main", &mut errors);
        let authorization = "default_authorization_decision";
        let default_authorization = decision(tree, authorization, "/system/authz/allow", &mut errors);
        let labels = labels(tree, &identity, &mut errors);
        let directory = text(tree, "persistence_directory", &mut errors);
        let nd_builtin_cache = match tree.get(&["nd_builtin_cache"]) {
            None => false,
            Some(null) if null.is_null() => false,
            Some(on) => on.as_bool().unwrap_or_else(|| {
                errors.push(wrong_type(tree, &["nd_builtin_cache"], on, "bool"));
                false
            }),
        };
        let caching = caching(tree).unwrap_or_else(|wrong| {
            errors.extend(wrong.0);
            Caching::default()
        });
        ConfigErrors(errors).into_result()?;
        let shown = tree
            .redacted()
            .with(&["labels"], labels.clone())
            .with(&["default_decision"], default_decision.as_str().into())
            .with(&[authorization], default_authorization.as_str().into());
        Ok(Self {
            identity,
            labels,
            default_decision: Path::from_slashes(&default_decision),
            default_authorization_decision: Path::from_slashes(&default_authorization),
            persistence_directory: directory.map_or_else(|| PathBuf::from(".opa"), PathBuf::from),
            nd_builtin_cache,
            caching,
            shown,
        })
    }
}

/// What holds for keys of the agent as a whole that the configuration does not have.
pub fn defaults(settings: &Settings) -> Vec<(&'static str, Value)> {
    let caching = settings.caching.results.most_bytes.map_or(Value::NULL, Value::from);
    vec![
        ("labels.version", settings.identity.version.as_str().into()),
        ("default_decision", "/system/main".into()),
        ("default_authorization_decision", "/system/authz/allow".into()),
        ("persistence_directory", settings.persistence_directory.display().to_string().into()),
        ("nd_builtin_cache", settings.nd_builtin_cache.into()),
        ("caching.inter_query_builtin_cache.max_size_bytes", caching),
    ]
}

/// What the author of a configuration should know, whether or not it is sound.
pub fn warnings(tree: &ConfigTree) -> Vec<String> {
    let mut leaves = if tree.is_discovered() { tree.leaves() } else { Vec::new() };
    leaves.retain(|leaf| leaf.origin == "discovery");
    let is_discovered = |key: &str| leaves.iter().any(|leaf| leaf.path[0] == key);
    let without_effect = KEYS.iter().filter_map(|(key, effect)| {
        let path: Vec<_> = key.split('.').collect();
        match effect {
            Effect::AtStart if is_discovered(key) => {
                Some(format!("`{key}` has no effect where it is discovered (from discovery)"))
            }
            Effect::Never if tree.section(&path).is_some() => {
                Some(format!("`{key}` has no effect yet (from {})", tree.origin(&path)))
            }
            _ => None,
        }
    });
    tree.warnings().iter().cloned().chain(without_effect).collect()
}

/// The keys that are not as they were at the start, and only count there.
pub fn pending_restart(start: &ConfigTree, now: &ConfigTree) -> Vec<&'static str> {
    let value = |tree: &ConfigTree, key: &str| tree.get(&[key]).cloned().unwrap_or(Value::NULL);
    let at_start = KEYS.iter().filter(|(_, effect)| *effect == Effect::AtStart).map(|(key, _)| *key);
    at_start.filter(|key| value(start, key) != value(now, key)).collect()
}

fn caching(tree: &ConfigTree) -> Result<Caching, ConfigErrors> {
    tree.section(&["caching"]).map_or_else(|| Ok(Caching::default()), |section| Caching::read(&section))
}

fn decision(tree: &ConfigTree, key: &str, default: &str, errors: &mut Vec<ConfigError>) -> String {
    match tree.get(&[key]).map(Value::view) {
        None | Some(View::Null) => default.to_owned(),
        Some(View::String(text)) => text.to_string(),
        Some(_) => {
            errors.push(ConfigError::opa(format!("{key} must be a string")).from_layer(tree.origin(&[key])));
            default.to_owned()
        }
    }
}

fn text(tree: &ConfigTree, key: &str, errors: &mut Vec<ConfigError>) -> Option<String> {
    let value = tree.get(&[key])?;
    match value.view() {
        View::Null => None,
        View::String(text) => Some(text.to_owned()),
        _ => {
            errors.push(wrong_type(tree, &[key], value, "string"));
            None
        }
    }
}

fn labels(tree: &ConfigTree, identity: &Identity, errors: &mut Vec<ConfigError>) -> Value {
    let mut labels = Value::empty_object();
    let given = tree.get(&["labels"]).filter(|given| !given.is_null());
    match given.map(|given| given.as_object().ok_or(given)) {
        None => {}
        Some(Ok(entries)) => {
            for (key, value) in entries {
                let key = key.as_str().unwrap_or_default();
                if value.as_str().is_none() {
                    errors.push(wrong_type(tree, &["labels", key], value, "string"));
                }
                labels = labels.with(&[key], value.clone());
            }
        }
        Some(Err(other)) => errors.push(wrong_type(tree, &["labels"], other, "object of strings")),
    }
    labels.with(&["id"], identity.id.as_str().into()).with(&["version"], identity.version.as_str().into())
}

fn wrong_type(tree: &ConfigTree, path: &[&str], found: &Value, wanted: &str) -> ConfigError {
    let message = format!("cannot use {} {found} as {wanted}", found.type_name());
    ConfigError::new(path.join("."), message, tree.origin(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;

    fn refusal(yaml: &str) -> String {
        let tree = Layers::new().text("base.yaml", yaml).load().expect("YAML");
        let identity = Identity { id: "i".to_owned(), version: "0".to_owned() };
        Settings::from_tree(&tree, identity).expect_err("a refusal").to_string()
    }

    #[test]
    fn decisions_of_the_wrong_type_are_refused_in_opas_words() {
        let both = refusal("{default_decision: 1, default_authorization_decision: [a]}");
        let expected = "default_decision must be a string (from base.yaml); \
                        default_authorization_decision must be a string (from base.yaml)";
        assert_eq!(both, expected);
    }

    #[test]
    fn other_keys_of_the_wrong_type_are_named_with_their_layer() {
        assert_eq!(refusal("labels: {a: 1}"), "labels.a: cannot use number 1 as string (from base.yaml)");
    }
}
