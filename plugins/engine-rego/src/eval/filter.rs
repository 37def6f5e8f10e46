//! What a loop over a collection compares its items with, found out once for all of them.
//!
//! `some item in data.items; item.kind == input.kind` goes through many items and keeps few. The steps behind the loop
//! that compare something in the item with a value that is lent are taken together here.

use regent_core::Value;
use smallvec::SmallVec;

use super::Machine;
use super::each::Rest;
use super::lookup::find;
use crate::plan::{Op, Operand, PathKey, Pattern, Source};

/// Comparisons at the start of what follows a loop.
pub(super) struct Filter<'a> {
    tests: SmallVec<[Test<'a>; 4]>,
    /// The first step behind them.
    pub(super) next: usize,
}

/// What lies at a path in the item has to be equal to a value.
struct Test<'a> {
    path: &'a [PathKey],
    wanted: &'a Value,
}

impl<'a> Machine<'a> {
    /// The comparisons that what follows the loop begins with; none where every step has to be seen.
    pub(super) fn filter(&self, key: &Pattern, item: &Pattern, rest: &Rest<'_, 'a>) -> Filter<'a> {
        let mut filter = Filter { tests: SmallVec::new(), next: rest.at };
        let key = match key {
            Pattern::Any => None,
            Pattern::Bind(slot) => Some(slot),
            _ => return filter,
        };
        let Pattern::Bind(item) = item else { return filter };
        // What is compared with has to be there before the loop is.
        let is_earlier = |wanted: &Operand| !matches!(wanted, Operand::Slot(slot) if slot == item || Some(slot) == key);
        while let Some(step) = rest.block.steps.get(filter.next).filter(|_| self.plan.optimised)
            && let Op::Get { from: Source::Value(Operand::Slot(slot)), path, into: Pattern::Equal(wanted) } = &step.op
            && slot == item
            && path.iter().all(|step| matches!(step.key, Operand::Const(_)))
            && is_earlier(wanted)
            && let Some(wanted) = self.lent(wanted, rest.frame)
        {
            filter.tests.push(Test { path, wanted });
            filter.next += 1;
        }
        filter
    }
}

impl Filter<'_> {
    /// Whether an item is as all comparisons want it.
    #[inline]
    pub(super) fn passes(&self, item: &Value) -> bool {
        self.tests.iter().all(|Test { path, wanted }| path.iter().try_fold(item, below) == Some(wanted))
    }
}

#[inline]
fn below<'v>(value: &'v Value, PathKey { key, hint }: &PathKey) -> Option<&'v Value> {
    let Operand::Const(key) = key else { return None };
    match value.as_object() {
        Some(entries) => entries.get_near(key, hint),
        None => find(value, key),
    }
}
