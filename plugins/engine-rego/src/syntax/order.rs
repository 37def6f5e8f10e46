//! OPA's order of terms, which shows wherever the members of a set or the entries of an object do.

use std::cmp::Ordering;

use super::ast::{Body, Expr, ExprKind, TemplatePart, Term, TermKind, With};
use super::depth::deeper;

/// Compares two terms; where they stand does not matter.
pub(crate) fn compare(a: &Term, b: &Term) -> Ordering {
    deeper(|| compare_kinds(a, b))
}

fn compare_kinds(a: &Term, b: &Term) -> Ordering {
    match (&a.kind, &b.kind) {
        (TermKind::Scalar(a), TermKind::Scalar(b)) => a.cmp(b),
        (TermKind::Var(a), TermKind::Var(b)) => a.cmp(b),
        (TermKind::Ref(a), TermKind::Ref(b))
        | (TermKind::Array(a), TermKind::Array(b))
        | (TermKind::Call(a), TermKind::Call(b)) => compare_all(a, b),
        (TermKind::Set(a), TermKind::Set(b)) => each(&members(a), &members(b), |a, b| compare(a, b)),
        (TermKind::Object(a), TermKind::Object(b)) => {
            each(&entries(a), &entries(b), |a, b| compare(a.0, b.0).then_with(|| compare(a.1, b.1)))
        }
        (TermKind::ArrayComprehension(a), TermKind::ArrayComprehension(b))
        | (TermKind::SetComprehension(a), TermKind::SetComprehension(b)) => {
            compare(&a.term, &b.term).then_with(|| compare_bodies(&a.body, &b.body))
        }
        (TermKind::ObjectComprehension(a), TermKind::ObjectComprehension(b)) => compare(&a.key, &b.key)
            .then_with(|| compare(&a.value, &b.value))
            .then_with(|| compare_bodies(&a.body, &b.body)),
        // Unlike lists, templates are compared by their length first.
        (TermKind::Template(a), TermKind::Template(b)) => (a.raw.cmp(&b.raw))
            .then(a.parts.len().cmp(&b.parts.len()))
            .then_with(|| each(&a.parts, &b.parts, compare_parts)),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// The members of a set in order, each once; of equal ones the first stays.
pub(crate) fn members(items: &[Term]) -> Vec<&Term> {
    let mut sorted: Vec<&Term> = items.iter().collect();
    sorted.sort_by(|a, b| compare(a, b));
    sorted.dedup_by(|b, a| compare(a, b).is_eq());
    sorted
}

/// The entries of an object in the order of their keys; of equal keys the first stays, with the last value.
pub(crate) fn entries(entries: &[(Term, Term)]) -> Vec<(&Term, &Term)> {
    let mut sorted: Vec<(&Term, &Term)> = entries.iter().map(|(key, value)| (key, value)).collect();
    sorted.sort_by(|a, b| compare(a.0, b.0));
    sorted.dedup_by(|b, a| {
        let same = compare(a.0, b.0).is_eq();
        if same {
            a.1 = b.1;
        }
        same
    });
    sorted
}

/// Compares two lists of terms, the shorter one first if it begins the other.
pub(crate) fn compare_all(a: &[Term], b: &[Term]) -> Ordering {
    each(a, b, compare)
}

/// Compares two bodies.
pub(crate) fn compare_bodies(a: &Body, b: &Body) -> Ordering {
    each(a, b, compare_exprs)
}

/// Compares two expressions: by kind, then place in the body, then content.
pub(crate) fn compare_exprs(a: &Expr, b: &Expr) -> Ordering {
    let kind = |expr: &Expr| match &expr.kind {
        ExprKind::Some(_) => 0,
        ExprKind::Term(_) => 1,
        ExprKind::Call(_) => 2,
        ExprKind::Every(_) => 3,
    };
    kind(a)
        .cmp(&kind(b))
        .then(a.index.cmp(&b.index))
        .then(a.negated.cmp(&b.negated))
        .then_with(|| match (&a.kind, &b.kind) {
            (ExprKind::Term(a), ExprKind::Term(b)) => compare(a, b),
            (ExprKind::Call(a), ExprKind::Call(b)) | (ExprKind::Some(a), ExprKind::Some(b)) => compare_all(a, b),
            (ExprKind::Every(a), ExprKind::Every(b)) => compare_optional(a.key.as_ref(), b.key.as_ref())
                .then_with(|| compare(&a.value, &b.value))
                .then_with(|| compare(&a.domain, &b.domain))
                .then_with(|| compare_bodies(&a.body, &b.body)),
            _ => Ordering::Equal,
        })
        .then_with(|| each(&a.with, &b.with, compare_with))
}

fn compare_with(a: &With, b: &With) -> Ordering {
    compare(&a.target, &b.target).then_with(|| compare(&a.value, &b.value))
}

fn compare_optional(a: Option<&Term>, b: Option<&Term>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

fn compare_parts(a: &TemplatePart, b: &TemplatePart) -> Ordering {
    match (a, b) {
        (TemplatePart::Text(a), TemplatePart::Text(b)) => compare(a, b),
        (TemplatePart::Expr(a), TemplatePart::Expr(b)) => compare_exprs(a, b),
        (TemplatePart::Text(_), TemplatePart::Expr(_)) => Ordering::Less,
        (TemplatePart::Expr(_), TemplatePart::Text(_)) => Ordering::Greater,
    }
}

fn each<T>(a: &[T], b: &[T], compare: impl Fn(&T, &T) -> Ordering) -> Ordering {
    let differing = a.iter().zip(b).map(|(a, b)| compare(a, b)).find(|order| order.is_ne());
    differing.unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Kinds in order. Scalars are compared as values, so they share one.
fn rank(term: &Term) -> u8 {
    match &term.kind {
        TermKind::Scalar(_) => 0,
        TermKind::Template(_) => 1,
        TermKind::Var(_) => 2,
        TermKind::Ref(_) => 3,
        TermKind::Array(_) => 4,
        TermKind::Object(_) => 5,
        TermKind::Set(_) => 6,
        TermKind::ArrayComprehension(_) => 7,
        TermKind::ObjectComprehension(_) => 8,
        TermKind::SetComprehension(_) => 9,
        TermKind::Call(_) => 10,
    }
}
