//! Terms, as values that are known and as patterns that values match.

use regent_core::Value;

use super::expr::{Planner, deeper};
use super::unify::Goal;
use super::{CollectItem, Op, Operand, Pattern};
use crate::syntax::ast::{Term, TermKind};

impl Planner<'_> {
    /// The value of a term. Steps are added where it has to be found out first.
    pub(super) fn operand(&mut self, term: &Term) -> Operand {
        match &term.kind {
            TermKind::Scalar(value) => Operand::Const(value.clone()),
            TermKind::Var(name) if !is_document(name) => self.known(name),
            TermKind::Array(items) => fold(Operand::Array(self.operands(items))),
            TermKind::Set(members) => fold(Operand::Set(self.operands(members))),
            TermKind::Object(entries) => fold(Operand::Object(deeper(|| {
                entries.iter().map(|(key, value)| (self.operand(key), self.operand(value))).collect()
            }))),
            _ => {
                let slot = self.temporary();
                deeper(|| self.evaluate(term, Goal::Slot(slot)));
                Operand::Slot(slot)
            }
        }
    }

    pub(super) fn operands(&mut self, terms: &[Term]) -> Vec<Operand> {
        deeper(|| terms.iter().map(|term| self.operand(term)).collect())
    }

    /// What a value has to be like to be that term. Variables without a value get one.
    pub(super) fn pattern(&mut self, term: &Term) -> Pattern {
        match &term.kind {
            TermKind::Var(name) if !is_document(name) => match self.scope.bound(name) {
                Some(slot) => Pattern::Equal(Operand::Slot(slot)),
                None if self.scope.is_unread(name) => Pattern::Any,
                None => Pattern::Bind(self.scope.bind(name)),
            },
            TermKind::Array(items) if !self.is_known(term) => {
                Pattern::Array(deeper(|| items.iter().map(|item| self.pattern(item)).collect()))
            }
            TermKind::Object(entries) if !self.is_known(term) => Pattern::Object(deeper(|| {
                entries.iter().map(|(key, value)| (self.operand(key), self.pattern(value))).collect()
            })),
            _ => Pattern::Equal(self.operand(term)),
        }
    }

    pub(super) fn optional_pattern(&mut self, term: Option<&Term>) -> Pattern {
        term.map_or(Pattern::Any, |term| self.pattern(term))
    }

    /// Whether the term has a value here, or one that can be found out.
    pub(super) fn is_known(&self, term: &Term) -> bool {
        match &term.kind {
            TermKind::Var(name) => is_document(name) || self.scope.bound(name).is_some(),
            TermKind::Array(terms) | TermKind::Set(terms) => deeper(|| terms.iter().all(|term| self.is_known(term))),
            TermKind::Object(entries) => {
                deeper(|| entries.iter().all(|(key, value)| self.is_known(key) && self.is_known(value)))
            }
            _ => true,
        }
    }

    /// Adds steps that find out the value of a term, and one that does with it what the goal says.
    pub(super) fn evaluate(&mut self, term: &Term, goal: Goal<'_>) {
        match &term.kind {
            TermKind::Ref(parts) => self.reference(parts, goal),
            TermKind::Var(name) if is_document(name) => self.reference(std::slice::from_ref(term), goal),
            TermKind::Call(terms) => self.call(terms, super::call::Output::To(goal)),
            TermKind::ArrayComprehension(parts) => {
                self.collect(&parts.body, goal, |planner| CollectItem::Array(planner.operand(&parts.term)));
            }
            TermKind::SetComprehension(parts) => {
                self.collect(&parts.body, goal, |planner| CollectItem::Set(planner.operand(&parts.term)));
            }
            TermKind::ObjectComprehension(parts) => self.collect(&parts.body, goal, |planner| CollectItem::Object {
                key: planner.operand(&parts.key),
                value: planner.operand(&parts.value),
                span: parts.key.span.clone(),
            }),
            // The compiler makes calls of them.
            TermKind::Template(_) => self.push(Op::Fail),
            _ => {
                let value = self.operand(term);
                let into = self.goal(goal);
                self.push(Op::Match { value, into });
            }
        }
    }
}

/// Whether the name stands for a document.
pub(super) fn is_document(name: &str) -> bool {
    name == "input" || name == "data"
}

/// Puts together what consists of constants alone.
fn fold(operand: Operand) -> Operand {
    let constant = |operand: &Operand| match operand {
        Operand::Const(value) => Some(value.clone()),
        _ => None,
    };
    let value = match &operand {
        Operand::Array(items) => items.iter().map(constant).collect::<Option<Vec<_>>>().map(Value::array),
        Operand::Set(members) => members.iter().map(constant).collect::<Option<Vec<_>>>().map(Value::set),
        Operand::Object(entries) => {
            let entry = |(key, value): &(Operand, Operand)| Some((constant(key)?, constant(value)?));
            entries.iter().map(entry).collect::<Option<Vec<_>>>().map(Value::object)
        }
        Operand::Const(_) | Operand::Slot(_) => None,
    };
    value.map_or(operand, Operand::Const)
}
