//! OPA's order of terms, which shows wherever the members of a set or the entries of an object do.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::ast::{Body, Expr, ExprKind, TemplatePart, Term, TermKind, With};
use super::depth::deeper;

/// Compares two terms; where they stand does not matter.
pub(crate) fn compare(a: &Term, b: &Term) -> Ordering {
    Order::default().terms(a, b)
}

/// Compares two lists of terms, the shorter one first if it begins the other.
pub(crate) fn compare_all(a: &[Term], b: &[Term]) -> Ordering {
    Order::default().lists(a, b)
}

/// Compares two bodies.
#[cfg(test)]
pub(crate) fn compare_bodies(a: &Body, b: &Body) -> Ordering {
    Order::default().bodies(a, b)
}

/// The members of a set in order, each once; of equal ones the first stays.
pub(crate) fn members(items: &[Term]) -> Rc<[&Term]> {
    Order::default().members(items)
}

/// The entries of an object in the order of their keys; of equal keys the first stays, with the last value.
pub(crate) fn entries(entries: &[(Term, Term)]) -> Rc<[Entry<'_>]> {
    Order::default().entries(entries)
}

/// An entry of an object.
type Entry<'a> = (&'a Term, &'a Term);

/// What has been put in order during a comparison, by where it is. A set within sets is met by each comparison of those
/// around it: put in order anew each time, the work would grow with the square of their number.
#[derive(Default)]
struct Order<'a> {
    members: BTreeMap<*const Term, Rc<[&'a Term]>>,
    entries: BTreeMap<*const (Term, Term), Rc<[Entry<'a>]>>,
}

impl<'a> Order<'a> {
    fn members(&mut self, items: &'a [Term]) -> Rc<[&'a Term]> {
        if let Some(known) = self.members.get(&items.as_ptr()) {
            return Rc::clone(known);
        }
        let mut sorted: Vec<&Term> = items.iter().collect();
        sorted.sort_by(|a, b| self.terms(a, b));
        sorted.dedup_by(|b, a| self.terms(a, b).is_eq());
        let sorted = Rc::from(sorted);
        // All lists without items may be in one place.
        if !items.is_empty() {
            self.members.insert(items.as_ptr(), Rc::clone(&sorted));
        }
        sorted
    }

    fn entries(&mut self, entries: &'a [(Term, Term)]) -> Rc<[Entry<'a>]> {
        if let Some(known) = self.entries.get(&entries.as_ptr()) {
            return Rc::clone(known);
        }
        let mut sorted: Vec<Entry<'a>> = entries.iter().map(|(key, value)| (key, value)).collect();
        sorted.sort_by(|a, b| self.terms(a.0, b.0));
        sorted.dedup_by(|b, a| {
            let same = self.terms(a.0, b.0).is_eq();
            if same {
                a.1 = b.1;
            }
            same
        });
        let sorted = Rc::from(sorted);
        if !entries.is_empty() {
            self.entries.insert(entries.as_ptr(), Rc::clone(&sorted));
        }
        sorted
    }

    fn terms(&mut self, a: &'a Term, b: &'a Term) -> Ordering {
        deeper(|| self.kinds(a, b))
    }

    fn kinds(&mut self, a: &'a Term, b: &'a Term) -> Ordering {
        match (&a.kind, &b.kind) {
            (TermKind::Scalar(a), TermKind::Scalar(b)) => a.cmp(b),
            (TermKind::Var(a), TermKind::Var(b)) => a.cmp(b),
            (TermKind::Ref(a), TermKind::Ref(b))
            | (TermKind::Array(a), TermKind::Array(b))
            | (TermKind::Call(a), TermKind::Call(b)) => self.lists(a, b),
            (TermKind::Set(a), TermKind::Set(b)) => {
                let (a, b) = (self.members(a), self.members(b));
                each(&a, &b, |a, b| self.terms(a, b))
            }
            (TermKind::Object(a), TermKind::Object(b)) => {
                let (a, b) = (self.entries(a), self.entries(b));
                each(&a, &b, |a, b| self.terms(a.0, b.0).then_with(|| self.terms(a.1, b.1)))
            }
            (TermKind::ArrayComprehension(a), TermKind::ArrayComprehension(b))
            | (TermKind::SetComprehension(a), TermKind::SetComprehension(b)) => {
                self.terms(&a.term, &b.term).then_with(|| self.bodies(&a.body, &b.body))
            }
            (TermKind::ObjectComprehension(a), TermKind::ObjectComprehension(b)) => self
                .terms(&a.key, &b.key)
                .then_with(|| self.terms(&a.value, &b.value))
                .then_with(|| self.bodies(&a.body, &b.body)),
            // Unlike lists, templates are compared by their length first.
            (TermKind::Template(a), TermKind::Template(b)) => (a.raw.cmp(&b.raw))
                .then(a.parts.len().cmp(&b.parts.len()))
                .then_with(|| each(&a.parts, &b.parts, |a, b| self.parts(a, b))),
            _ => rank(a).cmp(&rank(b)),
        }
    }

    fn lists(&mut self, a: &'a [Term], b: &'a [Term]) -> Ordering {
        each(a, b, |a, b| self.terms(a, b))
    }

    fn bodies(&mut self, a: &'a Body, b: &'a Body) -> Ordering {
        each(a, b, |a, b| self.exprs(a, b))
    }

    /// Compares two expressions: by kind, then place in the body, then content.
    fn exprs(&mut self, a: &'a Expr, b: &'a Expr) -> Ordering {
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
                (ExprKind::Term(a), ExprKind::Term(b)) => self.terms(a, b),
                (ExprKind::Call(a), ExprKind::Call(b)) | (ExprKind::Some(a), ExprKind::Some(b)) => self.lists(a, b),
                (ExprKind::Every(a), ExprKind::Every(b)) => self
                    .optional(a.key.as_ref(), b.key.as_ref())
                    .then_with(|| self.terms(&a.value, &b.value))
                    .then_with(|| self.terms(&a.domain, &b.domain))
                    .then_with(|| self.bodies(&a.body, &b.body)),
                _ => Ordering::Equal,
            })
            .then_with(|| each(&a.with, &b.with, |a, b| self.modifiers(a, b)))
    }

    fn modifiers(&mut self, a: &'a With, b: &'a With) -> Ordering {
        self.terms(&a.target, &b.target).then_with(|| self.terms(&a.value, &b.value))
    }

    fn optional(&mut self, a: Option<&'a Term>, b: Option<&'a Term>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => self.terms(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }

    fn parts(&mut self, a: &'a TemplatePart, b: &'a TemplatePart) -> Ordering {
        match (a, b) {
            (TemplatePart::Text(a), TemplatePart::Text(b)) => self.terms(a, b),
            (TemplatePart::Expr(a), TemplatePart::Expr(b)) => self.exprs(a, b),
            (TemplatePart::Text(_), TemplatePart::Expr(_)) => Ordering::Less,
            (TemplatePart::Expr(_), TemplatePart::Text(_)) => Ordering::Greater,
        }
    }
}

fn each<'a, T>(a: &'a [T], b: &'a [T], mut compare: impl FnMut(&'a T, &'a T) -> Ordering) -> Ordering {
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
