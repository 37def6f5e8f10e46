//! `keys`: what signatures are verified with, and tokens signed with.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::error::ConfigError;
use super::{ConfigTree, Secret};

/// How a key signs, by the names of RFC 7518 that OPA takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyAlgorithm(&'static str);

const ALGORITHMS: [&str; 12] =
    ["ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];

impl KeyAlgorithm {
    /// The algorithm of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        ALGORITHMS.into_iter().find(|known| *known == name).map(Self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl Default for KeyAlgorithm {
    /// `RS256`
    fn default() -> Self {
        Self("RS256")
    }
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Key {
    /// What verifies: a public key or certificate in PEM, or a secret. Empty if there is none.
    pub key: Secret,
    /// What signs, in PEM. Empty if there is none.
    pub private_key: Secret,
    /// How it signs; what a signature says of that does not count.
    pub algorithm: KeyAlgorithm,
    /// The scope of its signatures, empty for none.
    pub scope: String,
}

/// All keys by their names. Clones share them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys(Arc<BTreeMap<String, Key>>);

/// A key as it is written.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    key: Option<Secret>,
    #[serde(default)]
    private_key: Option<Secret>,
    #[serde(default)]
    algorithm: Option<String>,
    #[serde(default)]
    scope: Option<String>,
}

impl Keys {
    /// Reads them from the configuration.
    ///
    /// # Errors
    /// Everything that is wrong, in OPA's words where it has them, never with what a key holds.
    pub(crate) fn read(tree: &ConfigTree) -> (Self, Vec<ConfigError>) {
        let (mut keys, mut errors) = (BTreeMap::new(), Vec::new());
        let section = tree.section(&["keys"]).filter(|section| !section.value().is_null());
        if section.as_ref().is_some_and(|section| !section.value().is_object()) {
            errors.extend(section.as_ref().map(|section| section.error("", "invalid type, expected an object")));
        }
        for (id, section) in section.iter().flat_map(super::Section::children) {
            // The general complaint about a type would quote what may be a secret.
            if !section.value().is_object() {
                errors.push(section.error("", "invalid type, expected an object"));
                continue;
            }
            match section.parse::<Written>() {
                Err(error) => errors.push(error),
                Ok(written) => match written.complete(&id) {
                    Ok(key) => drop(keys.insert(id, key)),
                    Err(text) => errors.push(ConfigError::opa(text).from_layer(section.origin(""))),
                },
            }
        }
        (Self(Arc::new(keys)), errors)
    }

    /// The key of that name.
    pub fn get(&self, id: &str) -> Option<&Key> {
        self.0.get(id)
    }

    /// Their names.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Those whose names pass.
    pub(crate) fn filtered(&self, passes: impl Fn(&str) -> bool) -> Self {
        self.0.iter().filter(|(id, _)| passes(id)).map(|(id, key)| (id.clone(), key.clone())).collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Key)> for Keys {
    fn from_iter<I: IntoIterator<Item = (String, Key)>>(keys: I) -> Self {
        Self(Arc::new(keys.into_iter().collect()))
    }
}

impl Written {
    fn complete(self, id: &str) -> Result<Key, String> {
        let (key, private_key) = (self.key.unwrap_or_default(), self.private_key.unwrap_or_default());
        if key.expose().is_empty() && private_key.expose().is_empty() {
            return Err(format!("invalid keys configuration: no keys provided for key ID {id}"));
        }
        let algorithm = match self.algorithm.as_deref().unwrap_or_default() {
            "" => KeyAlgorithm::default(),
            name => KeyAlgorithm::of_name(name).ok_or_else(|| format!("unsupported algorithm '{name}'"))?,
        };
        Ok(Key { key, private_key, algorithm, scope: self.scope.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigErrors, Layers};

    fn read(yaml: &str) -> Result<Keys, String> {
        let tree = Layers::new().text("base.yaml", yaml).load().expect("YAML");
        let (keys, errors) = Keys::read(&tree);
        ConfigErrors(errors).into_result().map(|()| keys).map_err(|errors| errors.to_string())
    }

    #[test]
    fn keys_have_defaults_and_never_show_themselves() {
        let keys = read("keys: {a: {key: hunter2}, b: {private_key: hunter3, algorithm: ES512, scope: write}}");
        let keys = keys.expect("keys");
        let (a, b) = (keys.get("a").expect("a key"), keys.get("b").expect("a key"));
        assert_eq!((a.algorithm.name(), &*a.scope, a.key.expose()), ("RS256", "", "hunter2"));
        assert_eq!((b.algorithm.name(), &*b.scope, b.private_key.expose()), ("ES512", "write", "hunter3"));
        assert!(!format!("{keys:?}").contains("hunter"), "{keys:?}");
        assert!(read("{}").expect("none").is_empty() && read("keys: null").expect("none").is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_in_opas_words_and_without_the_key() {
        for (yaml, expected) in [
            ("keys: {k: {}}", "invalid keys configuration: no keys provided for key ID k (from base.yaml)"),
            ("keys: {k: {key: hunter2, algorithm: none}}", "unsupported algorithm 'none' (from base.yaml)"),
            ("keys: {k: {key: hunter2, algorithm: EdDSA}}", "unsupported algorithm 'EdDSA' (from base.yaml)"),
            ("keys: {k: hunter2}", "keys.k: invalid type, expected an object (from base.yaml)"),
            ("keys: hunter2", "keys: invalid type, expected an object (from base.yaml)"),
        ] {
            assert_eq!(read(yaml).err().as_deref(), Some(expected), "{yaml}");
        }
        let error = read("keys: {k: {key: 271828}}").expect_err("a number");
        assert!(error.starts_with("keys.k.key: ") && !error.contains("271828"), "{error}");
    }
}
