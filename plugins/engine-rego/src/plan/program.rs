//! The plan of all rules.

use std::sync::Arc;

use regent_core::parallel;

use super::former::Former;
use super::rule::{RuleSet, plan_set};
use super::{Layout, SetId};
use crate::compile::Compiled;
use regent_builtins::Builtins;

/// The plan of all rules of a program.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Where they lie.
    pub(crate) layout: Layout,
    /// The rule sets, in the layout's order.
    pub(crate) sets: Vec<Arc<RuleSet>>,
    /// Whether steps may differ from the text, and rules that cannot hold be left out, where answers stay the same.
    pub(crate) optimised: bool,
}

impl Plan {
    /// Plans all rules, on all cores. Those that are planned already are taken from `former`.
    pub(crate) fn of(compiled: &Compiled, builtins: &Builtins, optimised: bool, former: Option<&Former<'_>>) -> Self {
        let layout = Layout::of(compiled);
        let former = former.filter(|former| former.is_laid_out_as(&layout));
        let sets = parallel::map(layout.sets.iter().enumerate(), |(id, info)| {
            let known = former.and_then(|former| former.set(id, info, compiled));
            known.unwrap_or_else(|| Arc::new(plan_set(info, compiled, &layout, builtins, optimised)))
        });
        Self { layout, sets, optimised }
    }

    /// The rule set.
    pub(crate) fn set(&self, id: SetId) -> &RuleSet {
        &self.sets[id]
    }
}
