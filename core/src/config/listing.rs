//! The configuration key by key, for people who ask where a value comes from.

use std::collections::BTreeMap;

use super::redact;
use super::secret::MASK;
use super::tree::ConfigTree;
use crate::value::{Object, Value};

/// One key that has no keys below it, as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The keys that lead to it.
    pub path: Vec<String>,
    /// Its value without secrets, as [`ConfigTree::redacted`] shows it; `***` for what is not shown at all there.
    pub value: Value,
    /// The layer that it came from.
    pub origin: String,
    /// The variables of the environment that went into it, by name.
    pub variables: Vec<String>,
    /// The value itself.
    hidden: Value,
}

/// What makes one configuration another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Keys that only the other one has.
    pub added: Vec<Leaf>,
    /// Keys that both have, with their values here and there.
    pub changed: Vec<(Leaf, Leaf)>,
    /// Keys that the other one does not have.
    pub removed: Vec<Leaf>,
}

impl Leaf {
    /// The dotted key as `--set` takes it.
    pub fn key(&self) -> String {
        dotted(&self.path)
    }
}

/// The key that leads there, as `--set` takes it.
pub fn dotted(path: &[String]) -> String {
    let escaped = path.iter().map(|key| key.replace('\\', r"\\").replace('.', r"\."));
    escaped.collect::<Vec<_>>().join(".")
}

impl ConfigTree {
    /// Every key that has no keys below it, in order. Of what is never shown, such as credentials, only the key above all
    /// of it.
    pub fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        self.list(self.value(), Some(&redact::redact(self.value())), &mut Vec::new(), &mut leaves);
        leaves
    }

    fn list(&self, value: &Value, shown: Option<&Value>, path: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
        let entries = value.as_object().filter(|entries| !entries.is_empty());
        let (Some(entries), Some(true)) = (entries, shown.map(Value::is_object)) else {
            if !path.is_empty() {
                leaves.push(self.leaf(value, shown, path));
            }
            return;
        };
        let shown = shown.and_then(Value::as_object);
        for (key, value) in entries {
            let key = key.as_str().unwrap_or_default();
            path.push(key.to_owned());
            self.list(value, shown.and_then(|shown| shown.get_str(key)), path, leaves);
            path.pop();
        }
    }

    fn leaf(&self, value: &Value, shown: Option<&Value>, path: &[String]) -> Leaf {
        Leaf {
            path: path.to_vec(),
            value: shown.cloned().unwrap_or_else(|| MASK.into()),
            origin: self.origin_of(path).to_owned(),
            variables: self.variables_of(path),
            hidden: value.clone(),
        }
    }

    /// What makes the other configuration another one than this.
    pub fn differences(&self, other: &Self) -> Differences {
        let by_path = |tree: &Self| -> BTreeMap<Vec<String>, Leaf> {
            tree.leaves().into_iter().map(|leaf| (leaf.path.clone(), leaf)).collect()
        };
        let (mut here, there) = (by_path(self), by_path(other));
        let mut differences = Differences::default();
        for (path, leaf) in there {
            match here.remove(&path) {
                None => differences.added.push(leaf),
                Some(known) if known.hidden != leaf.hidden => differences.changed.push((known, leaf)),
                Some(_) => {}
            }
        }
        // An empty object that is filled has not gone.
        let filled = |leaf: &Leaf| {
            leaf.hidden.as_object().is_some_and(Object::is_empty) && other.value().at(&leaf.path).is_some()
        };
        differences.removed = here.into_values().filter(|leaf| !filled(leaf)).collect();
        differences
    }
}
