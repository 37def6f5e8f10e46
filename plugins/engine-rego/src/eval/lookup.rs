//! Following keys into values.

use std::borrow::Cow;

use regent_core::Value;

use super::value::try_part;
use super::{Held, Machine};
use crate::plan::{Operand, PathKey, Pattern, Source};

impl<'a> Machine<'a> {
    /// What a source stands for.
    pub(super) fn source(&self, source: &'a Source, frame: usize) -> Option<Held<'a>> {
        match source {
            Source::Value(operand) => Some(self.hold(operand, frame)),
            Source::Input => self.env.input.clone(),
            Source::Data => self.base(&[]),
        }
    }

    /// What a source stands for, if it belongs to the plan, the snapshot or the input.
    #[inline]
    pub(super) fn lent_source(&self, source: &'a Source, frame: usize) -> Option<&'a Value> {
        match source {
            Source::Value(operand) => self.lent(operand, frame),
            Source::Input => match self.env.input {
                Some(Cow::Borrowed(input)) => Some(input),
                _ => None,
            },
            Source::Data => None,
        }
    }

    /// Whether there is something at a path in a source, and it matches.
    #[inline]
    pub(super) fn get(&mut self, from: &'a Source, path: &'a [PathKey], into: &'a Pattern, frame: usize) -> bool {
        // What loops over base data do all the time.
        if let Source::Value(Operand::Slot(slot)) = from
            && let [PathKey { key: Operand::Const(key), hint }] = path
            && let Cow::Borrowed(value) = self.slot(frame, *slot)
            && let Some(entries) = value.as_object()
        {
            return entries.get_near(key, hint).is_some_and(|found| self.matches_lent(into, found, frame));
        }
        if let Some(value) = self.lent_source(from, frame)
            && let Some(found) = self.lent_below(value, path, frame)
        {
            return found.is_some_and(|value| self.matches_lent(into, value, frame));
        }
        self.get_held(from, path, into, frame)
    }

    #[inline(never)]
    fn get_held(&mut self, from: &'a Source, path: &'a [PathKey], into: &'a Pattern, frame: usize) -> bool {
        let found = match from {
            Source::Data => self.base_at(path, frame),
            _ => self.source(from, frame).and_then(|value| {
                path.iter().try_fold(value, |value, step| child(&value, &self.peek(&step.key, frame)))
            }),
        };
        found.is_some_and(|value| self.matches(into, value, frame))
    }

    /// What lies at a path in a value that is lent. Nothing where that would have to be made: a key, or what is found in
    /// a set, which has the spelling of the key.
    #[inline]
    #[expect(clippy::option_option, reason = "not to be told here, and not there, are two answers")]
    fn lent_below(&self, mut value: &'a Value, path: &[PathKey], frame: usize) -> Option<Option<&'a Value>> {
        for PathKey { key, hint } in path {
            let key = self.ready(key, frame)?;
            let below = match value.as_object() {
                Some(entries) => entries.get_near(key, hint),
                None if value.as_set().is_some() => return None,
                None => find(value, key),
            };
            match below {
                Some(below) => value = below,
                None => return Some(None),
            }
        }
        Some(Some(value))
    }
}

/// What lies in a value under a key: the value in an object, the item at an index, the member of a set.
pub(super) fn child<'a>(value: &Held<'a>, key: &Value) -> Option<Held<'a>> {
    match value.as_set() {
        Some(members) => members.contains(key).then(|| Held::Owned(key.clone())),
        None => try_part(value, |value| find(value, key)),
    }
}

/// As [`child`], without making anything.
pub(super) fn find<'v>(value: &'v Value, key: &Value) -> Option<&'v Value> {
    if let Some(entries) = value.as_object() {
        entries.get(key)
    } else if let Some(items) = value.as_array() {
        items.get(usize::try_from(key.as_number()?.as_i64()?).ok()?)
    } else {
        value.as_set()?.find(key)
    }
}
