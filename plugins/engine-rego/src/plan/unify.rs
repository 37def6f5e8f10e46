//! Unification, taken apart into values and the patterns that they have to match.

use super::expr::Planner;
use super::{Op, Operand, Pattern, Slot};
use crate::syntax::ast::{Term, TermKind};

/// What becomes of a value, before it is known which variables have one by then.
#[derive(Clone, Copy)]
pub(super) enum Goal<'t> {
    /// It must not be `false`.
    Truthy,
    /// It goes into a slot.
    Slot(Slot),
    /// It has to be the term.
    Term(&'t Term),
    /// It has to be equal to what is in a slot.
    EqualTo(Slot),
}

impl Planner<'_> {
    /// The pattern for a goal. Steps are added for values that it depends on, so this comes right before the step that
    /// it is for.
    pub(super) fn goal(&mut self, goal: Goal<'_>) -> Pattern {
        match goal {
            Goal::Truthy => Pattern::Truthy,
            Goal::Slot(slot) => Pattern::Bind(slot),
            Goal::Term(term) => self.pattern(term),
            Goal::EqualTo(slot) => Pattern::Equal(Operand::Slot(slot)),
        }
    }

    /// Adds steps that make two terms equal.
    pub(super) fn unify(&mut self, left: &Term, right: &Term) {
        let mut open = vec![(left, right)];
        while !open.is_empty() {
            let ready = open.iter().position(|(left, right)| self.is_known(left) || self.is_known(right));
            if let Some(at) = ready {
                let (left, right) = open.remove(at);
                self.unify_known(left, right);
                continue;
            }
            // Neither side has a value, so both sides are taken apart.
            let apart = open.iter().position(|(left, right)| is_composite(left) && is_composite(right));
            let parts = apart.map(|at| open.remove(at)).and_then(|(left, right)| pairs(left, right));
            match parts {
                Some(parts) => open.splice(0..0, parts).for_each(drop),
                None => return self.push(Op::Fail),
            }
        }
    }

    /// At least one side has a value. References come first, then what is put together; the rest are patterns.
    fn unify_known(&mut self, left: &Term, right: &Term) {
        let (left_open, right_open) = (needs_steps(left), needs_steps(right));
        let (source, other) =
            if left_open || !right_open && self.is_known(left) { (left, right) } else { (right, left) };
        if !needs_steps_within(other) {
            return self.evaluate(source, Goal::Term(other));
        }
        let slot = self.temporary();
        self.evaluate(source, Goal::Slot(slot));
        if needs_steps(other) {
            self.evaluate(other, Goal::EqualTo(slot));
        } else {
            let into = self.pattern(other);
            self.push(Op::Match { value: Operand::Slot(slot), into });
        }
    }
}

/// Whether it takes steps to find out the term's value.
fn needs_steps(term: &Term) -> bool {
    match &term.kind {
        TermKind::Var(name) => super::term::is_document(name),
        TermKind::Scalar(_) | TermKind::Array(_) | TermKind::Object(_) | TermKind::Set(_) => false,
        _ => true,
    }
}

/// Whether it takes steps to find out the value of the term or a part of it.
fn needs_steps_within(term: &Term) -> bool {
    match &term.kind {
        TermKind::Array(terms) | TermKind::Set(terms) => terms.iter().any(needs_steps_within),
        TermKind::Object(entries) => {
            entries.iter().any(|(key, value)| needs_steps_within(key) || needs_steps_within(value))
        }
        _ => needs_steps(term),
    }
}

fn is_composite(term: &Term) -> bool {
    matches!(term.kind, TermKind::Array(_) | TermKind::Object(_))
}

/// The parts of two composites that have to be equal; nothing if the composites cannot be.
fn pairs<'t>(left: &'t Term, right: &'t Term) -> Option<Vec<(&'t Term, &'t Term)>> {
    match (&left.kind, &right.kind) {
        (TermKind::Array(left), TermKind::Array(right)) if left.len() == right.len() => {
            Some(left.iter().zip(right).collect())
        }
        (TermKind::Object(left), TermKind::Object(right)) if left.len() == right.len() => {
            let same = |key: &Term, other: &Term| match (&key.kind, &other.kind) {
                (TermKind::Scalar(key), TermKind::Scalar(other)) => key == other,
                (TermKind::Var(key), TermKind::Var(other)) => key == other,
                _ => false,
            };
            let find = |key: &Term| right.iter().find(|(other, _)| same(key, other)).map(|(_, value)| value);
            left.iter().map(|(key, value)| Some((value, find(key)?))).collect()
        }
        _ => None,
    }
}
