//! A document that is changed piece by piece.

use std::collections::{BTreeMap, BTreeSet};

use regent_core::value::{Value, View};

use super::super::numbers::spelled_int;

/// A value that can be changed. Only what changes lead through is taken apart; the rest stays shared.
pub(super) enum Tree {
    Whole(Value),
    Object(BTreeMap<Value, Tree>),
    Array(Vec<Tree>),
    Set(BTreeSet<Value>),
}

impl Tree {
    /// Does something with what lies at the path; nothing if there is nothing or if it cannot be done.
    pub(super) fn at<T>(&mut self, path: &[Value], run: &mut dyn FnMut(&mut Tree) -> Option<T>) -> Option<T> {
        let Some((key, rest)) = path.split_first() else {
            return run(self);
        };
        match self.opened() {
            Self::Object(entries) => entries.get_mut(key)?.at(rest, run),
            Self::Array(items) => {
                let index = index(key, items.len())?;
                items.get_mut(index)?.at(rest, run)
            }
            Self::Set(members) => {
                // A member is its own key, so a change within it moves it.
                let mut member = Self::Whole(members.take(key)?);
                let result = member.at(rest, run);
                members.insert(member.value());
                result
            }
            Self::Whole(_) => None,
        }
    }

    /// Puts a value under the key: into an array before the item there, elsewhere in place of what is there.
    pub(super) fn insert(&mut self, key: &Value, value: Value) -> Option<()> {
        match self.opened() {
            Self::Object(entries) => {
                entries.remove(key);
                entries.insert(key.clone(), Self::Whole(value));
            }
            Self::Array(items) => {
                let index = index(key, items.len()).filter(|index| *index <= items.len())?;
                items.insert(index, Self::Whole(value));
            }
            Self::Set(members) if *key == value => {
                members.replace(value);
            }
            Self::Set(_) | Self::Whole(_) => return None,
        }
        Some(())
    }

    /// Takes out what lies under the key.
    pub(super) fn delete(&mut self, key: &Value) -> Option<()> {
        match self.opened() {
            Self::Object(entries) => entries.remove(key).map(drop),
            Self::Array(items) => {
                let index = index(key, items.len()).filter(|index| *index < items.len())?;
                items.remove(index);
                Some(())
            }
            Self::Set(members) => members.remove(key).then_some(()),
            Self::Whole(_) => None,
        }
    }

    /// The value as it is now.
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Whole(value) => value.clone(),
            Self::Object(entries) => Value::object(entries.iter().map(|(key, value)| (key.clone(), value.value()))),
            Self::Array(items) => Value::array(items.iter().map(Self::value)),
            Self::Set(members) => Value::set(members.iter().cloned()),
        }
    }

    /// Itself, taken apart if it has parts.
    fn opened(&mut self) -> &mut Self {
        if let Self::Whole(value) = self {
            let whole = |value: &Value| Self::Whole(value.clone());
            let opened = match value.view() {
                View::Object(entries) => {
                    Some(Self::Object(entries.iter().map(|(key, value)| (key.clone(), whole(value))).collect()))
                }
                View::Array(items) => Some(Self::Array(items.iter().map(whole).collect())),
                View::Set(members) => Some(Self::Set(members.iter().cloned().collect())),
                _ => None,
            };
            if let Some(opened) = opened {
                *self = opened;
            }
        }
        self
    }
}

/// The index that a key of a path means in an array of that length; `-` is the one behind its end.
fn index(key: &Value, length: usize) -> Option<usize> {
    let index = match key.view() {
        View::String("-") => return Some(length),
        View::String(text) if text.len() > 1 && text.starts_with('0') => return None,
        View::String(text) => text.parse().ok()?,
        View::Number(number) => spelled_int(&number)?,
        _ => return None,
    };
    usize::try_from(index).ok()
}
