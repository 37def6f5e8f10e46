//! Paths into documents, and what they lead to.

use std::collections::BTreeMap;

use regent_core::builtin::{BuiltinError, Operands};
use regent_core::value::{Object, Set, Value, View};

/// Longer paths than that lead nowhere: no document is as deep.
const LONGEST: usize = 1_024;

/// The keys of a path: of `a/b~1c` are `a` and `b/c`; an array holds them as they are. Anything else is no path.
pub(super) fn parse(path: &Value) -> Option<Vec<Value>> {
    match path.view() {
        View::Array(keys) => Some(keys.to_vec()),
        View::String("") => Some(Vec::new()),
        View::String(text) => {
            let keys = text.trim_start_matches('/').split('/');
            Some(keys.map(|key| key.replace("~1", "/").replace("~0", "~").into()).collect())
        }
        _ => None,
    }
}

/// What the paths of the second operand lead to.
pub(super) fn of(operands: Operands<'_>) -> Result<Selection, BuiltinError> {
    let paths: Vec<_> = match operands.any(1).view() {
        View::Array(items) => items.iter().collect(),
        View::Set(members) => members.iter().collect(),
        _ => return Err(operands.must_be(1, "one of {set, array}")),
    };
    let mut selection = Selection::default();
    for path in paths {
        let keys = parse(path).ok_or_else(|| {
            let expected = "one of {set, array} containing string paths or array of path segments";
            BuiltinError::operand(1, format_args!("must be {expected} but got {}", path.type_name()))
        })?;
        selection.add(&keys);
    }
    Ok(selection)
}

/// A part of a document: all of it, or what lies under some keys.
#[derive(Debug)]
pub(super) enum Selection {
    Whole,
    Parts(BTreeMap<Value, Selection>),
}

impl Default for Selection {
    /// Nothing.
    fn default() -> Self {
        Self::Parts(BTreeMap::new())
    }
}

impl Selection {
    /// Adds what the path leads to. An empty path leads nowhere.
    fn add(&mut self, path: &[Value]) {
        if path.is_empty() {
            return;
        }
        let mut selection = self;
        for key in path.iter().take(LONGEST) {
            let Self::Parts(parts) = selection else {
                return;
            };
            selection = parts.entry(key.clone()).or_default();
        }
        if path.len() <= LONGEST {
            *selection = Self::Whole;
        }
    }

    /// The value with nothing but the selection. What paths lead into but has no parts stays.
    pub(super) fn filter(&self, value: &Value) -> Value {
        let Self::Parts(parts) = self else {
            return value.clone();
        };
        match value.view() {
            View::Object(entries) => {
                let kept = entries.iter().filter_map(|(key, value)| Some((key.clone(), parts.get(key)?.filter(value))));
                kept.collect::<Object>().into()
            }
            View::Array(items) => {
                let kept =
                    items.iter().enumerate().filter_map(|(index, item)| Some(parts.get(&name(index))?.filter(item)));
                Value::array(kept)
            }
            View::Set(members) => {
                let kept = members.iter().filter_map(|member| Some(parts.get(member)?.filter(member)));
                kept.collect::<Set>().into()
            }
            _ => value.clone(),
        }
    }

    /// The value without the selection; nothing if that is all of it.
    pub(super) fn remove(&self, value: &Value) -> Option<Value> {
        let Self::Parts(parts) = self else {
            return None;
        };
        let rest = |key: &Value, value: &Value| match parts.get(key) {
            Some(selection) => selection.remove(value),
            None => Some(value.clone()),
        };
        Some(match value.view() {
            View::Object(entries) => {
                let kept = entries.iter().filter_map(|(key, value)| Some((key.clone(), rest(key, value)?)));
                kept.collect::<Object>().into()
            }
            View::Array(items) => {
                let kept = items.iter().enumerate().filter_map(|(index, item)| rest(&name(index), item));
                Value::array(kept)
            }
            View::Set(members) => members.iter().filter_map(|member| rest(member, member)).collect::<Set>().into(),
            _ => value.clone(),
        })
    }
}

/// What a path calls an item of an array.
fn name(index: usize) -> Value {
    index.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_paths_lead_nowhere() {
        let mut selection = Selection::default();
        selection.add(&vec!["a".into(); 200_000]);
        let document = Value::object([("a", Value::object([("a", 1_i64), ("b", 2)]))]);
        assert_eq!(selection.remove(&document), Some(document.clone()));
        assert_eq!(selection.filter(&document), Value::object([("a", Value::object([("a", 1_i64)]))]));
    }
}
