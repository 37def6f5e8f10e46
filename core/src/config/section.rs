//! One part of the configuration, for the one who owns it.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::error::ConfigError;
use super::tree::ConfigTree;
use super::unknown::UnknownKey;
use super::{fields, redact};
use crate::value::{Value, to_serde};

/// A section cut out of the tree; knows its place and where its keys came from.
///
/// Two sections are equal when they have the same place and content, whatever layers they came from: nothing changed.
#[derive(Clone)]
pub struct Section {
    tree: ConfigTree,
    path: Arc<[String]>,
    name: String,
    value: Value,
}

impl ConfigTree {
    /// The section at a path of keys; none when nothing or null is there.
    pub fn section(&self, path: &[&str]) -> Option<Section> {
        let value = self.get(path).filter(|value| !value.is_null())?.clone();
        Some(Section::new(self.clone(), path.iter().map(|key| (*key).to_owned()).collect(), value))
    }

    /// A section with nothing in it, under a key that is not there.
    pub(crate) fn empty_section(&self, key: &str) -> Section {
        Section::new(self.clone(), vec![key.to_owned()], Value::empty_object())
    }

    /// As [`ConfigTree::section`], but a null counts as an empty section: a section that is there asks for defaults.
    pub fn section_or_empty(&self, path: &[&str]) -> Option<Section> {
        let value = match self.get(path)? {
            null if null.is_null() => Value::empty_object(),
            value => value.clone(),
        };
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        Some(Section::new(self.clone(), path, value))
    }
}

impl Section {
    fn new(tree: ConfigTree, path: Vec<String>, value: Value) -> Self {
        Self { tree, name: path.join("."), path: path.into(), value }
    }

    /// The dotted path of the section, `bundles.authz`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The keys that lead to the section.
    pub(crate) fn path(&self) -> &[String] {
        &self.path
    }

    /// The content, as it was written.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The section under one key; none when nothing or null is there.
    pub fn child(&self, key: &str) -> Option<Section> {
        let value = self.value.get(key).filter(|value| !value.is_null())?.clone();
        let path = self.path.iter().cloned().chain([key.to_owned()]).collect();
        Some(Self::new(self.tree.clone(), path, value))
    }

    /// The section without what is under a key.
    pub(crate) fn without(&self, key: &str) -> Section {
        Section { value: self.value.without(&[key]), ..self.clone() }
    }

    /// The sections under all keys, nulls left out, in the order of the keys.
    pub fn children(&self) -> impl Iterator<Item = (String, Section)> {
        let keys = self.value.as_object().into_iter().flat_map(|entries| entries.iter().map(|(key, _)| key));
        keys.filter_map(|key| Some((key.as_str()?.to_owned(), self.child(key.as_str()?)?)))
    }

    /// The section at a path of keys of the whole configuration; none when nothing or null is there. For what a section
    /// refers to by name, such as a key in `keys`.
    pub fn elsewhere(&self, path: &[&str]) -> Option<Section> {
        self.tree.section(path)
    }

    /// As [`Section::elsewhere`], but what is not there counts as an empty section.
    #[must_use]
    pub fn elsewhere_or_empty(&self, path: &[&str]) -> Section {
        let there = self.elsewhere(path);
        there.unwrap_or_else(|| {
            let path = path.iter().map(|key| (*key).to_owned()).collect();
            Self::new(self.tree.clone(), path, Value::empty_object())
        })
    }

    /// The layer that a key came from. `key` may be dotted; empty means the section itself.
    pub fn origin(&self, key: &str) -> String {
        self.origin_of(&self.steps(key)).to_owned()
    }

    fn origin_of(&self, below: &[String]) -> &str {
        let path: Vec<&String> = self.path.iter().chain(below).collect();
        self.tree.origin_of(&path)
    }

    /// The keys in a dotted key. A key that is there as a whole counts as one, whatever dots are in it.
    fn steps(&self, key: &str) -> Vec<String> {
        if key.is_empty() || self.value.get(key).is_some() {
            return Some(key).filter(|key| !key.is_empty()).map(str::to_owned).into_iter().collect();
        }
        key.split('.').map(|step| step.split('[').next().unwrap_or(step).to_owned()).collect()
    }

    /// An error at a key of the section, which may be dotted; empty means the section itself.
    pub fn error(&self, key: &str, message: impl Into<String>) -> ConfigError {
        ConfigError::new(self.full(key), message, self.origin(key))
    }

    fn full(&self, key: &str) -> String {
        let separator = if self.name.is_empty() || key.is_empty() || key.starts_with('[') { "" } else { "." };
        format!("{}{separator}{key}", self.name)
    }

    /// Reads the section into a type. Keys that the type does not know are noted, see [`ConfigTree::unknown_keys`].
    ///
    /// # Errors
    /// When the content does not fit the type; names the key and its layer. A value under a name that tells of a
    /// secret is not quoted.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let content = to_serde(&self.value);
        let mut unknown = Vec::new();
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(&content, &mut track);
        let parsed = serde_ignored::deserialize(tracked, |path| unknown.push(dotted(&path)));
        match parsed {
            Ok(value) => {
                if !unknown.is_empty() {
                    self.note_unknown(&unknown, &fields::asked_by::<T>(&content));
                }
                Ok(value)
            }
            Err(error) => Err(self.misfit(&track.path(), &error.to_string())),
        }
    }

    fn note_unknown(&self, paths: &[String], fields: &fields::Fields) {
        for path in paths {
            let above = path.rsplit_once('.').map_or("", |(above, _)| above);
            let known = fields.get(above).copied().unwrap_or_default();
            self.tree.note_unknown(UnknownKey::new(self.full(path), known, self.origin(path)));
        }
    }

    fn misfit(&self, path: &serde_path_to_error::Path, message: &str) -> ConfigError {
        let keys: Vec<String> = path
            .iter()
            .filter_map(|segment| match segment {
                Segment::Map { key } => Some(key.clone()),
                _ => None,
            })
            .collect();
        let below = if path.iter().len() == 0 { String::new() } else { path.to_string() };
        let secret = self.path.iter().chain(&keys).any(|key| redact::tells(key) || key == "headers")
            || self.path.first().is_some_and(|first| first == "keys");
        ConfigError::new(self.full(&below), worded(message, secret), self.origin_of(&keys))
    }
}

/// The message of serde without names of Rust types and, if need be, without the value.
fn worded(message: &str, secret: bool) -> String {
    let message = match message.split_once(", expected struct ") {
        Some((found, _)) => format!("{found}, expected an object"),
        None => message.to_owned(),
    };
    match message.rsplit_once(", expected ") {
        Some((_, expected)) if secret => format!("invalid value, expected {expected}"),
        _ => message,
    }
}

/// The path of an ignored key with dots, optional and wrapped values left out.
fn dotted(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", dotted(parent)),
        Path::Map { parent, key } => match dotted(parent) {
            above if above.is_empty() => key.clone(),
            above => format!("{above}.{key}"),
        },
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => dotted(parent),
    }
}

impl PartialEq for Section {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.value == other.value
    }
}

impl Eq for Section {}

impl fmt::Debug for Section {
    /// The name only, since the content may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Section").field(&self.name).finish()
    }
}
