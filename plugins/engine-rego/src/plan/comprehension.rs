//! Comprehensions, and how they are found again.
//!
//! A comprehension in a loop is mostly the same work again, of which a comparison with a variable from outside picks a
//! part: `[order | some order in data.orders; order.user == user]`. Then the body is also planned without that
//! variable's value, so that it can run once, and what it collects lies ready under each value that the variable may
//! take. As in OPA that is not done where the variable is a key on a path, since the path is found faster.

use super::expr::{Planner, spans};
use super::optimise::optimise;
use super::slots::Slots as _;
use super::unify::Goal;
use super::{Block, Collect, CollectIndex, CollectItem, Op, Slot};
use crate::syntax::ast::{Body, Var};

/// Comprehensions within more comprehensions are not indexed, since every index is one more plan of all that is within.
const MOST_NESTED: usize = 3;

impl Planner<'_> {
    /// Adds a comprehension. `item` plans what is collected, at the end of the body.
    pub(super) fn collect(&mut self, body: &Body, goal: Goal<'_>, item: impl Fn(&mut Self) -> CollectItem) {
        let plan = |planner: &mut Self| {
            planner.body(body);
            item(planner)
        };
        self.nesting += 1;
        let (block, item) = self.closure(spans(body), plan);
        self.nesting -= 1;
        let index = self.captured(&block, &item).and_then(|keys| self.collect_index(body, &keys, plan));
        let into = self.goal(goal);
        self.push(Op::Collect(Box::new(Collect { item, block, into, index })));
    }

    /// The variables from outside that a comprehension depends on, if it only compares with them.
    fn captured(&self, block: &Block, item: &CollectItem) -> Option<Vec<(Var, Slot)>> {
        if !self.optimised
            || self.in_index
            || self.nesting > MOST_NESTED
            || !block.steps.iter().all(|step| step.op.repeats())
        {
            return None;
        }
        let outside = |slot: Slot| self.scope.has_value(slot);
        let mut keys = Vec::new();
        block.reads(&mut |slot| keys.extend(outside(slot).then_some(slot)));
        item.reads(&mut |slot| keys.extend(outside(slot).then_some(slot)));
        keys.sort_unstable();
        keys.dedup();
        let mut compared = true;
        for step in &block.steps {
            match &step.op {
                Op::Match { .. } => {}
                op => op.sources(&mut |slot| compared &= !outside(slot)),
            }
        }
        let name = |slot: &Slot| Some((self.scope.name_of(*slot)?.clone(), *slot));
        keys.iter().map(name).collect::<Option<Vec<_>>>().filter(|_| compared)
    }

    /// The body for all values of the keys, if it gives them values itself.
    fn collect_index(
        &mut self,
        body: &Body,
        keys: &[(Var, Slot)],
        plan: impl FnOnce(&mut Self) -> CollectItem,
    ) -> Option<CollectIndex> {
        let mark = self.scope.mark();
        for (_, slot) in keys {
            self.scope.unbind(*slot);
        }
        self.in_index = true;
        let (mut block, item) = self.block(spans(body), plan);
        self.in_index = false;
        let is_safe = keys.iter().all(|(_, slot)| self.scope.has_value(*slot))
            && block.steps.iter().all(|step| step.op.can_hold());
        self.scope.reset(&mark);
        if !is_safe {
            return None;
        }
        let keys: Vec<Slot> = keys.iter().map(|(_, slot)| *slot).collect();
        let mut slots = self.scope.len();
        optimise(&mut block, &mut slots, |read| {
            item.reads(read);
            for slot in &keys {
                read(*slot);
            }
        });
        Some(CollectIndex { keys, slots, block, item })
    }
}

impl Op {
    /// Whether nobody can tell if the step runs once more or once less.
    fn repeats(&self) -> bool {
        let all = |block: &Block| block.steps.iter().all(|step| step.op.repeats());
        match self {
            Self::Builtin(call) => {
                call.into.is_some()
                    && call.builtin.as_ref().is_some_and(|builtin| !builtin.declaration().nondeterministic)
            }
            Self::Collect(collect) => all(&collect.block),
            Self::Not(block) => all(block),
            Self::Every(every) => all(&every.block),
            Self::With(_) => false,
            _ => true,
        }
    }

    /// Whether the step was not planned as one that never holds.
    fn can_hold(&self) -> bool {
        let all = |block: &Block| block.steps.iter().all(|step| step.op.can_hold());
        match self {
            Self::Fail => false,
            Self::Collect(collect) => all(&collect.block),
            Self::Not(block) => all(block),
            Self::Every(every) => all(&every.block),
            Self::With(scope) => all(&scope.block),
            _ => true,
        }
    }
}
