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
    /// Whether steps may differ from the text, and rules that cannot hold be left out, where answers stay the same.
    pub(crate) optimised: bool,
}

impl Plan {
    /// Plans all rules.
    pub(crate) fn of(compiled: &Compiled, builtins: &Builtins, optimised: bool) -> Self {
        let layout = Layout::of(compiled);
        let sets = layout.sets.iter().map(|info| plan_set(info, compiled, &layout, builtins, optimised)).collect();
        Self { layout, sets, optimised }
    }

    /// The rule set.
    pub(crate) fn set(&self, id: SetId) -> &RuleSet {
        &self.sets[id]
    }
}
