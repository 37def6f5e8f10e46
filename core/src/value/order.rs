//! Order, equality and hashing of values.
//!
//! Shared parts are recognised by their address. Nesting of any depth is walked, on a stack that grows.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use super::{Number, Object, Repr, Set, Value};

/// Stack that one level of nesting certainly leaves untouched.
const LEFT: usize = 64 << 10;

/// By how much the stack grows.
const MORE: usize = 1 << 20;

/// Goes one level down into a nested value.
pub(super) fn descend<R>(step: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(LEFT, MORE, step)
}

pub(super) const TEXT_RANK: u8 = 3;

impl Value {
    /// The place of the value's type in the order of types.
    pub(super) fn rank(&self) -> u8 {
        match &self.0 {
            Repr::Null => 0,
            Repr::Bool(_) => 1,
            Repr::Int(_) | Repr::Decimal(_) => 2,
            Repr::Short(_) | Repr::Long(_) => TEXT_RANK,
            Repr::Array(_) => 4,
            Repr::Object(_) => 5,
            Repr::Set(_) => 6,
        }
    }

    /// The UTF-8 of a string.
    pub(super) fn text_bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Repr::Short(text) => Some(text.as_bytes()),
            Repr::Long(text) => Some(text.as_bytes()),
            _ => None,
        }
    }
}

impl PartialEq for Value {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            // Most comparisons are of these, and need no call.
            (Repr::Int(a), Repr::Int(b)) => a == b,
            (Repr::Short(a), Repr::Short(b)) => a == b,
            _ => self.is_equal(other),
        }
    }
}

impl Value {
    fn is_equal(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Null, Repr::Null) => true,
            (Repr::Bool(a), Repr::Bool(b)) => a == b,
            (Repr::Int(a), Repr::Int(b)) => a == b,
            (Repr::Short(a), Repr::Short(b)) => a == b,
            (Repr::Long(a), Repr::Long(b)) => a == b,
            (Repr::Array(a), Repr::Array(b)) => {
                a.is_same(b) || a.values().len() == b.values().len() && descend(|| a.values() == b.values())
            }
            (Repr::Object(a), Repr::Object(b)) => a == b,
            (Repr::Set(a), Repr::Set(b)) => a == b,
            _ => match (self.as_number(), other.as_number()) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        }
    }
}

impl Eq for Value {}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Bool(a), Repr::Bool(b)) => a.cmp(b),
            (Repr::Int(a), Repr::Int(b)) => a.cmp(b),
            (Repr::Short(a), Repr::Short(b)) => a.cmp(b),
            (Repr::Array(a), Repr::Array(b)) if a.is_same(b) => Ordering::Equal,
            (Repr::Array(a), Repr::Array(b)) => descend(|| a.values().cmp(b.values())),
            (Repr::Object(a), Repr::Object(b)) => a.cmp(b),
            (Repr::Set(a), Repr::Set(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()).then_with(|| match (self.text_bytes(), other.text_bytes()) {
                (Some(a), Some(b)) => a.cmp(b),
                _ => self.as_number().cmp(&other.as_number()),
            }),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Value {
    /// Equal values hash alike, so the spelling of numbers does not count.
    fn hash<S: Hasher>(&self, state: &mut S) {
        match &self.0 {
            Repr::Null => state.write_u8(0),
            Repr::Bool(truth) => state.write_u8(if *truth { 8 } else { 7 }),
            Repr::Int(int) => Number::from(*int).hash(state),
            Repr::Decimal(text) => Number::from_text(text.clone()).hash(state),
            Repr::Short(text) => hash_text(text.as_bytes(), state),
            Repr::Long(text) => hash_text(text.as_bytes(), state),
            Repr::Array(items) => descend(|| hash_all(4, items.values(), state)),
            Repr::Object(entries) => entries.hash(state),
            Repr::Set(members) => members.hash(state),
        }
    }
}

/// What a string value adds to a hash.
pub(super) fn hash_text<S: Hasher>(text: &[u8], state: &mut S) {
    state.write(text);
    state.write_u8(0xff);
}

fn hash_all<S: Hasher>(kind: u8, values: &[Value], state: &mut S) {
    state.write_u8(kind);
    state.write_usize(values.len());
    for value in values {
        value.hash(state);
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_same(&other.0)
            || self.len() == other.len()
                && descend(|| {
                    (self.has_shape_of(other) || self.keys().as_slice() == other.keys().as_slice())
                        && self.0.values() == other.0.values()
                })
    }
}

impl Eq for Object {}

impl Ord for Object {
    /// Entry by entry, the key before the value; then the shorter one comes first.
    fn cmp(&self, other: &Self) -> Ordering {
        if self.0.is_same(&other.0) {
            return Ordering::Equal;
        }
        descend(|| {
            if self.has_shape_of(other) { self.values().cmp(other.values()) } else { self.iter().cmp(other.iter()) }
        })
    }
}

impl PartialOrd for Object {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Object {
    fn hash<S: Hasher>(&self, state: &mut S) {
        descend(|| {
            hash_all(5, self.keys().as_slice(), state);
            hash_all(5, self.0.values(), state);
        });
    }
}

impl PartialEq for Set {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_same(&other.0) || self.len() == other.len() && descend(|| self.0.values() == other.0.values())
    }
}

impl Eq for Set {}

impl Ord for Set {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.0.is_same(&other.0) { Ordering::Equal } else { descend(|| self.0.values().cmp(other.0.values())) }
    }
}

impl PartialOrd for Set {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Set {
    fn hash<S: Hasher>(&self, state: &mut S) {
        descend(|| hash_all(6, self.0.values(), state));
    }
}
