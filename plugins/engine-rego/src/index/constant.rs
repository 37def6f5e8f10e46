//! Terms that are the same whatever the input.

use regent_core::Value;

use crate::syntax::ast::{Term, TermKind};

/// Composite constants that are nested deeper are not looked into.
const DEPTH: usize = 32;

/// The value of a term without variables, references, calls and comprehensions.
pub(super) fn constant(term: &Term) -> Option<Value> {
    within(term, DEPTH)
}

/// The value of a term that is a scalar.
pub(super) fn scalar(term: &Term) -> Option<&Value> {
    match &term.kind {
        TermKind::Scalar(value) => Some(value),
        _ => None,
    }
}

/// Whether all parts of a rule's reference are constant.
pub(super) fn is_path(reference: &[Term]) -> bool {
    reference.iter().skip(1).all(|part| constant(part).is_some())
}

fn within(term: &Term, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let all = |terms: &[Term]| terms.iter().map(|term| within(term, depth)).collect::<Option<Vec<_>>>();
    match &term.kind {
        TermKind::Scalar(value) => Some(value.clone()),
        TermKind::Array(items) => Some(Value::array(all(items)?)),
        TermKind::Set(members) => Some(Value::set(all(members)?)),
        TermKind::Object(entries) => {
            let entry = |(key, value): &(Term, Term)| Some((within(key, depth)?, within(value, depth)?));
            Some(Value::object(entries.iter().map(entry).collect::<Option<Vec<_>>>()?))
        }
        _ => None,
    }
}
