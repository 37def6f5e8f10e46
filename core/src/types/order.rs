//! The order of types. It decides in which order the parts of `any<…>` are listed.

use std::cmp::Ordering;

use super::{Signature, Type};

impl Type {
    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Boolean => 1,
            Self::Number => 2,
            Self::String => 3,
            Self::Array { .. } => 4,
            Self::Object { .. } => 5,
            Self::Set(_) => 6,
            Self::Any(_) => 7,
            Self::Function(_) => 8,
        }
    }
}

impl Ord for Type {
    /// What is open-ended comes after what is not, and only then do known items and fields count.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Array { items: a, rest: more_a }, Self::Array { items: b, rest: more_b }) => {
                more_a.cmp(more_b).then_with(|| a.cmp(b))
            }
            (Self::Object { fields: a, rest: more_a }, Self::Object { fields: b, rest: more_b }) => {
                more_a.cmp(more_b).then_with(|| a.cmp(b))
            }
            (Self::Set(a), Self::Set(b)) => a.cmp(b),
            (Self::Any(a), Self::Any(b)) => a.cmp(b),
            (Self::Function(a), Self::Function(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Type {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Signature {
    fn cmp(&self, other: &Self) -> Ordering {
        let arity = self.parameters.len().cmp(&other.parameters.len());
        arity
            .then_with(|| self.parameters.cmp(&other.parameters))
            .then_with(|| self.result.cmp(&other.result))
            .then_with(|| self.variadic.cmp(&other.variadic))
    }
}

impl PartialOrd for Signature {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
