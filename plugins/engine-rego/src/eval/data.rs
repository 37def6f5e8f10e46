//! Base data, with what stands in for parts of it.

use std::time::Instant;

use regent_core::Value;

use super::lookup::child;
use super::merge::merge;
use super::{Held, Machine};
use crate::plan::PathKey;

/// The agent's own part of data, which nobody sees who asks for everything.
const OWN: &str = "system";

impl<'a> Machine<'a> {
    /// What lies in base data at a path.
    pub(super) fn base(&self, path: &[Value]) -> Option<Held<'a>> {
        self.resolving(|| self.merged(path))
    }

    /// Reads base data, which OPA has a timer for.
    fn resolving<T>(&self, read: impl FnOnce() -> T) -> T {
        if !self.builtins.metrics.is_on() {
            return read();
        }
        let start = Instant::now();
        let found = read();
        self.resolving.set(Some(self.resolving.get().unwrap_or_default() + start.elapsed()));
        found
    }

    fn merged(&self, path: &[Value]) -> Option<Held<'a>> {
        let replaced = self.env.data.as_ref();
        if replaced.is_some() && self.env.hides(path) {
            return self.replaced(path);
        }
        let stored = if path.is_empty() { Some(self.root()) } else { self.stored(path).map(Held::Borrowed) };
        match (replaced.and_then(|_| self.replaced(path)), stored) {
            (Some(replaced), Some(stored)) => Some(Held::Owned(merge(&replaced, &stored))),
            (replaced, stored) => replaced.or(stored),
        }
    }

    /// As [`Machine::base`], for a path that is not there yet as such.
    pub(super) fn base_at(&self, path: &'a [PathKey], frame: usize) -> Option<Held<'a>> {
        if self.env.data.is_some() || path.is_empty() {
            let path: Vec<Value> = path.iter().map(|step| self.build(&step.key, frame)).collect();
            return self.base(&path);
        }
        let below = |value: &'a Value, step: &PathKey| {
            let key = self.peek(&step.key, frame);
            match value.as_object() {
                Some(entries) if key.is_string() => entries.get_near(&key, &step.hint),
                _ => stored_child(value, &key),
            }
        };
        self.resolving(|| path.iter().try_fold(self.data, below)).map(Held::Borrowed)
    }

    /// What is stored at a path.
    pub(super) fn stored(&self, path: &[Value]) -> Option<&'a Value> {
        path.iter().try_fold(self.data, stored_child)
    }

    fn replaced(&self, path: &[Value]) -> Option<Held<'a>> {
        let root = Held::Owned(self.env.data.clone()?);
        path.iter().try_fold(root, |value, key| child(&value, key))
    }

    fn root(&self) -> Held<'a> {
        match self.data.get(OWN) {
            Some(_) => Held::Owned(self.data.without(&[OWN])),
            None => Held::Borrowed(self.data),
        }
    }
}

/// What lies in stored data under a key. The store is asked by paths of text, so a number finds a key that is spelled
/// like it, and a text that spells a number finds the item at that index.
fn stored_child<'v>(value: &'v Value, key: &Value) -> Option<&'v Value> {
    if let Some(entries) = value.as_object() {
        return match key.as_number() {
            Some(number) => entries.get_str(&number.to_literal()),
            None => entries.get(key),
        };
    }
    let items = value.as_array()?;
    let index = match key.as_number() {
        Some(number) => usize::try_from(number.as_i64()?).ok()?,
        None => key.as_str()?.parse().ok()?,
    };
    items.get(index)
}
