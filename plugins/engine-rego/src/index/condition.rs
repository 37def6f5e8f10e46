//! What rules say of references.

use regent_core::value::{Value, View};

use super::constant::scalar;
use crate::syntax::ast::{Expr, ExprKind, Rule, Term, TermKind};

/// Longer arrays and glob patterns are not looked into, which bounds how deep a search goes.
pub(super) const LONGEST_PATTERN: usize = 32;

/// What a rule says of one reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// It is defined.
    Defined,
    /// It is a collection with this scalar among its values.
    Contains(Value),
    /// It is a string that a glob pattern matches.
    Glob {
        /// The characters that separate the parts.
        delimiters: Box<str>,
        /// The parts.
        parts: Vec<Slot>,
    },
    /// It is an array with these items.
    Array(Vec<Slot>),
    /// It is one of these, each a scalar or array.
    OneOf(Vec<Condition>),
    /// It is this scalar.
    Is(Value),
}

/// What is said of an item of an array or a part of a glob pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    /// Nothing.
    Any,
    /// It is this scalar.
    Is(Value),
}

/// What each branch says, by reference; and the order in which references are looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    /// For each branch, in the order of levels, the level and what is said of its reference.
    pub(super) branches: Vec<Vec<(u32, Condition)>>,
    /// The references by level.
    pub(super) levels: Vec<u32>,
}

impl Conditions {
    /// Puts the references of the branches in the given order.
    pub(super) fn new(mut branches: Vec<Vec<(u32, Condition)>>, levels: Vec<u32>) -> Self {
        let most = levels.iter().max().map_or(0, |most| *most as usize + 1);
        let mut level_of = vec![0; most];
        for (level, reference) in (0_u32..).zip(&levels) {
            level_of[*reference as usize] = level;
        }
        for conditions in &mut branches {
            for (reference, _) in conditions.iter_mut() {
                *reference = level_of[*reference as usize];
            }
            conditions.sort_by_key(|(level, _)| *level);
        }
        Self { branches, levels }
    }
}

impl Condition {
    /// That something equals a constant.
    pub(super) fn equals(value: &Value) -> Self {
        match value.view() {
            View::Object(_) | View::Set(_) => Self::Defined,
            View::Array(items) => {
                let slot = |item: &Value| is_scalar(item).then(|| Slot::Is(item.clone()));
                items.iter().map(slot).collect::<Option<_>>().map_or(Self::Defined, Self::array)
            }
            _ => Self::Is(value.clone()),
        }
    }

    /// That something is an array of these items.
    pub(super) fn array(items: Vec<Slot>) -> Self {
        if items.len() > LONGEST_PATTERN { Self::Defined } else { Self::Array(items) }
    }

    /// That a glob pattern with these parts matches something.
    pub(super) fn glob(delimiters: &str, parts: Vec<Slot>) -> Self {
        if parts.len() > LONGEST_PATTERN { Self::Defined } else { Self::Glob { delimiters: delimiters.into(), parts } }
    }
}

/// Whether a value is no composite.
pub(super) fn is_scalar(value: &Value) -> bool {
    !matches!(value.view(), View::Array(_) | View::Object(_) | View::Set(_))
}

/// The items of an array of scalars and variables; `known` gives the values of variables.
pub(super) fn slots<'a>(items: &'a [Term], known: impl Fn(&'a Term) -> Option<&'a Value>) -> Option<Vec<Slot>> {
    let slot = |item: &'a Term| match &item.kind {
        TermKind::Var(_) => match known(item) {
            Some(value) if is_scalar(value) => Some(Slot::Is(value.clone())),
            _ => Some(Slot::Any),
        },
        _ => scalar(item).map(|value| Slot::Is(value.clone())),
    };
    items.iter().map(slot).collect()
}

/// The expressions of a body that may be indexed: no negated ones, none with modifiers, and none at all where the body
/// has effects that must not be skipped.
pub(super) fn indexable(rule: &Rule) -> impl Iterator<Item = &Expr> {
    let effect = |expr: &Expr| matches!(&expr.kind, ExprKind::Call(terms) if ["internal.print", "internal.test_case"].iter().any(|name| is_call_of(terms, name)));
    let body: &[Expr] = if rule.body.iter().any(effect) { &[] } else { &rule.body };
    body.iter().filter(|expr| !expr.negated && expr.with.is_empty())
}

/// Whether the first term is the operator of that name.
pub(super) fn is_call_of(terms: &[Term], name: &str) -> bool {
    let parts = match terms.first() {
        Some(Term { kind: TermKind::Ref(parts), .. }) => parts,
        Some(head) => std::slice::from_ref(head),
        None => return false,
    };
    let mut names = name.split('.');
    let mut spelled = parts.iter().map(|part| part.as_var().map(|name| &**name).or_else(|| part.as_text()));
    names.by_ref().all(|name| spelled.next() == Some(Some(name))) && spelled.next().is_none()
}
