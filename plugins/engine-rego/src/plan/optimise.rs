//! Fewer and cheaper steps for the same answers.
//!
//! Only steps that cannot fail with an error and have no effect beyond slots change places, so nobody can tell but by
//! the time it takes, or by watching single steps: whoever wants to do that plans without.

use std::collections::HashSet;

use super::slots::Slots;
use super::{Block, Op, Operand, PathKey, Pattern, Slot, Source, Step};

/// Makes a block cheaper. What is read after it names itself to `results`; the frame has so many `slots`, and may have
/// more afterwards.
pub(super) fn optimise(block: &mut Block, slots: &mut usize, results: impl FnOnce(&mut dyn FnMut(Slot))) {
    hoist_all(block, slots);
    let mut reads = Reads::default();
    block.reads(&mut |slot| reads.add(slot));
    results(&mut |slot| reads.add(slot));
    fuse_all(block, &reads);
}

/// How often each slot is read.
#[derive(Default)]
struct Reads(Vec<u32>);

impl Reads {
    fn add(&mut self, slot: Slot) {
        if self.0.len() <= slot {
            self.0.resize(slot + 1, 0);
        }
        self.0[slot] += 1;
    }

    fn of(&self, slot: Slot) -> u32 {
        self.0.get(slot).copied().unwrap_or(0)
    }
}

fn nested(block: &mut Block, change: &mut dyn FnMut(&mut Block)) {
    for step in &mut block.steps {
        match &mut step.op {
            Op::Not(block) => change(block),
            Op::Collect(collect) => change(&mut collect.block),
            Op::Every(every) => change(&mut every.block),
            Op::With(scope) => change(&mut scope.block),
            _ => {}
        }
    }
}

/// Takes lookups out of loops that do not change them.
fn hoist_all(block: &mut Block, slots: &mut usize) {
    nested(block, &mut |block| hoist_all(block, slots));
    let mut at = 1;
    while at < block.steps.len() {
        let (before, rest) = block.steps.split_at_mut(at);
        if let Op::Get { from, path, into } = &mut rest[0].op
            && let Some(to) = place_before(before, from, path, into)
        {
            let lookup = if moves_whole(into) {
                block.steps.remove(at)
            } else {
                // What is found is kept, and compared where it was looked up before.
                let op =
                    Op::Match { value: Operand::Slot(*slots), into: std::mem::replace(into, Pattern::Bind(*slots)) };
                *slots += 1;
                let expr = rest[0].expr;
                std::mem::replace(&mut rest[0], Step { op, expr })
            };
            block.steps.insert(to, lookup);
        }
        at += 1;
    }
}

/// Whether the pattern does not depend on values.
fn moves_whole(into: &Pattern) -> bool {
    let mut depends = false;
    into.reads(&mut |_| depends = true);
    !depends
}

/// The outermost loop that a lookup can stand before.
fn place_before(steps: &[Step], from: &Source, path: &[PathKey], into: &Pattern) -> Option<usize> {
    let (mut reads, mut fills) = (HashSet::new(), HashSet::new());
    from.reads(&mut |slot| reads.extend([slot]));
    for step in path {
        step.key.reads(&mut |slot| reads.extend([slot]));
    }
    into.fills(&mut |slot| fills.extend([slot]));
    let mut place = None;
    for (at, step) in steps.iter().enumerate().rev() {
        if !matches!(step.op, Op::Match { .. } | Op::Get { .. } | Op::Each { .. }) {
            break;
        }
        let mut apart = true;
        step.op.fills(&mut |slot| apart &= !reads.contains(&slot) && !fills.contains(&slot));
        step.op.reads(&mut |slot| apart &= !fills.contains(&slot));
        if !apart {
            break;
        }
        if matches!(step.op, Op::Each { .. }) {
            place = Some(at);
        }
    }
    place
}

/// Compares what is found with what it has to be at once, where nothing else reads it.
fn fuse_all(block: &mut Block, reads: &Reads) {
    nested(block, &mut |block| fuse_all(block, reads));
    let mut steps: Vec<Step> = Vec::with_capacity(block.steps.len());
    for step in block.steps.drain(..) {
        let into = steps.last_mut().and_then(|last| last.op.pattern_mut());
        match into.as_ref().and_then(|into| fused(into, &step.op, reads)) {
            Some(pattern) => into.into_iter().for_each(|into| *into = pattern.clone()),
            None => steps.push(step),
        }
    }
    block.steps = steps;
}

impl Op {
    /// What becomes of the one value that the step finds.
    fn pattern_mut(&mut self) -> Option<&mut Pattern> {
        match self {
            Self::Match { into, .. }
            | Self::Get { into, .. }
            | Self::Each { value: into, .. }
            | Self::Rule { into, .. }
            | Self::Function { into, .. } => Some(into),
            Self::Tree(walk) => Some(&mut walk.into),
            Self::Collect(collect) => Some(&mut collect.into),
            Self::Builtin(call) => call.into.as_mut(),
            Self::Fail | Self::Not(_) | Self::Every(_) | Self::With(_) => None,
        }
    }
}

/// The pattern for a value that is bound and then matched.
fn fused(bind: &Pattern, next: &Op, reads: &Reads) -> Option<Pattern> {
    let (Pattern::Bind(slot), Op::Match { value: Operand::Slot(matched), into }) = (bind, next) else { return None };
    if reads.of(*slot) != 1 {
        return None;
    }
    if matched == slot {
        return Some(into.clone());
    }
    match into {
        Pattern::Equal(Operand::Slot(other)) if other == slot => Some(Pattern::Equal(Operand::Slot(*matched))),
        _ => None,
    }
}
