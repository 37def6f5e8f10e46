//! The documents and functions that an expression sees; `with` makes others.

use regent_core::Value;
use regent_core::builtin::Builtin;

use super::Held;
use super::cache::Cache;
use crate::plan::{Callee, SetId};

/// The documents and functions that an expression sees.
#[derive(Default)]
pub(super) struct Env<'a> {
    /// The input document.
    pub(super) input: Option<Held<'a>>,
    /// What stands in for parts of data.
    pub(super) data: Option<Value>,
    /// The paths below `data` where it does, which hide the rules there.
    pub(super) hidden: Vec<&'a [Value]>,
    /// What stands in for functions; the last one of a function counts.
    pub(super) functions: Vec<(&'a Callee, Mock<'a>)>,
    /// What is known of rules as long as these documents and functions are seen.
    pub(super) cache: Cache<'a>,
}

/// What stands in for a function.
#[derive(Clone)]
pub(super) enum Mock<'a> {
    /// A value.
    Value(Held<'a>),
    /// A function of the policy.
    Rules(SetId),
    /// A built-in function.
    Builtin(&'a dyn Builtin),
}

impl<'a> Env<'a> {
    /// Whether the rules at a path are hidden.
    pub(super) fn hides(&self, path: &[Value]) -> bool {
        self.hidden.iter().any(|hidden| path.starts_with(hidden))
    }

    /// What stands in for a function.
    pub(super) fn mock(&self, callee: &Callee) -> Option<&Mock<'a>> {
        self.functions.iter().rev().find(|(known, _)| *known == callee).map(|(_, mock)| mock)
    }
}
