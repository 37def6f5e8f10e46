//! The plan of all rules.

use super::rule::{RuleSet, plan_set};
use super::{Layout, SetId};
use crate::builtins::Builtins;
use crate::compile::Compiled;

/// The plan of all rules of a program.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Where they lie.
    pub(crate) layout: Layout,
    /// The rule sets, in the layout's order.
    pub(crate) sets: Vec<RuleSet>,
}

impl Plan {
    /// Plans all rules.
    pub(crate) fn of(compiled: &Compiled, builtins: &Builtins) -> Self {
        let layout = Layout::of(compiled);
        let sets = layout.sets.iter().map(|info| plan_set(info, compiled, &layout, builtins)).collect();
        Self { layout, sets }
    }

    /// The rule set.
    pub(crate) fn set(&self, id: SetId) -> &RuleSet {
        &self.sets[id]
    }
}
