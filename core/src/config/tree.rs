//! The merged configuration.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::ConfigErrors;
use super::merge::{self, Layer, Origins};
use super::unknown::UnknownKey;
use super::{redact, services};
use crate::value::{self, Value};

/// The merged configuration; cheap to clone. Knows for every key which layer it came from.
#[derive(Clone)]
pub struct ConfigTree(Arc<Merged>);

pub(super) struct Merged {
    pub(super) value: Value,
    /// `services` as it was written, when that was a list.
    pub(super) listed: Option<Value>,
    pub(super) origins: Origins,
    pub(super) services: Vec<String>,
    /// Whether a part of it was discovered.
    pub(super) discovered: bool,
    pub(super) warnings: Vec<String>,
    /// Keys that sections have, but nobody who read them knows. Whoever reads a section has only a share of the tree, so
    /// no task can own this.
    pub(super) unknown: Mutex<BTreeSet<UnknownKey>>,
}

impl ConfigTree {
    pub(super) fn new(merged: Merged) -> Self {
        Self(Arc::new(merged))
    }

    /// Merges layers, the first one ranking lowest. `discovered` tells whether that one was not there at the start; its
    /// services come last in their order all the same.
    pub(super) fn merged(layers: &[Layer], discovered: bool, mut warnings: Vec<String>) -> Result<Self, ConfigErrors> {
        let (value, mut origins) = merge::merge(layers);
        let listed = value.get("services").filter(|services| services.as_array().is_some()).cloned();
        let settled = services::settle(value, layers, discovered, &mut origins).map_err(ConfigErrors)?;
        warnings.extend(settled.warnings);
        let services = settled.names;
        let unknown = Mutex::default();
        Ok(Self::new(Merged { value: settled.value, listed, origins, services, discovered, warnings, unknown }))
    }

    /// The whole tree. `services` is an object here, also when a list was written. Holds secrets: to show it, take
    /// [`ConfigTree::redacted`].
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// What lies at a path of keys, null included.
    pub fn get(&self, path: &[&str]) -> Option<&Value> {
        self.0.value.at(path)
    }

    /// The layer that a key came from: a file's name, `--set` or `--set-file`. For an object, the last layer that
    /// added to it; for a key that is not there, the origin of what is nearest above it, or nothing.
    pub fn origin(&self, path: &[&str]) -> String {
        self.0.origins.find(path).to_owned()
    }

    pub(super) fn origin_of<S: AsRef<str>>(&self, path: &[S]) -> &str {
        self.0.origins.find(path)
    }

    /// Whether a part of it was discovered rather than given at the start.
    pub fn is_discovered(&self) -> bool {
        self.0.discovered
    }

    /// The names of the services in document order; names that only later layers know come after.
    pub fn service_names(&self) -> &[String] {
        &self.0.services
    }

    /// Whether what lies there was given at the start, by at least one layer.
    pub(crate) fn is_from_start(&self, path: &[&str]) -> bool {
        self.origin(path) != super::DISCOVERED
    }

    /// What the author should know: variables that are not defined, keys given twice or turned into booleans.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// The keys that nobody knew of those who have read their section so far.
    pub fn unknown_keys(&self) -> Vec<UnknownKey> {
        self.0.unknown.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn note_unknown(&self, key: UnknownKey) {
        self.0.unknown.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }

    pub(super) fn variables_of<S: AsRef<str>>(&self, path: &[S]) -> Vec<String> {
        self.0.origins.nearest(path).all_variables().into_iter().collect()
    }

    /// The tree as it may be shown, for `/v1/config` and `opa.runtime()`: without credentials and key material, with
    /// other secrets masked, and with `services` in the form it was written in.
    pub fn redacted(&self) -> Value {
        match &self.0.listed {
            Some(listed) => redact::redact(&self.0.value.with(&["services"], listed.clone())),
            None => redact::redact(&self.0.value),
        }
    }
}

impl Default for ConfigTree {
    fn default() -> Self {
        Self::new(Merged {
            value: Value::empty_object(),
            listed: None,
            origins: Origins::default(),
            services: Vec::new(),
            discovered: false,
            warnings: Vec::new(),
            unknown: Mutex::default(),
        })
    }
}

impl fmt::Debug for ConfigTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigTree({})", value::encode(&self.redacted()))
    }
}
