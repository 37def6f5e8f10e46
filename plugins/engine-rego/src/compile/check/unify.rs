//! What an equation binds.

use std::collections::BTreeMap;

use regent_core::Value;

use super::vars::{Bound, Scope, VarSet, deeper};
use crate::syntax::ast::{Term, TermKind, Var};

/// The variables that `a = b` binds when those in `safe` are bound before.
pub(crate) fn unify(safe: &Bound<'_>, a: &Term, b: &Term) -> VarSet {
    let mut unifier = Unifier { safe, unified: VarSet::new(), unknown: BTreeMap::new() };
    unifier.unify(a, b);
    unifier.unified
}

/// Whether a reference can be followed: its head is bound.
pub(super) fn is_ref_safe(parts: &[Term], safe: &Bound<'_>) -> bool {
    match parts.first().map(|head| (head, &head.kind)) {
        Some((_, TermKind::Var(name))) => safe.contains(name),
        Some((head, _)) => is_safe(head, safe),
        None => true,
    }
}

fn is_safe(term: &Term, safe: &Bound<'_>) -> bool {
    safe.contains_all(&Scope::Body.of_terms([term]))
}

struct Unifier<'a> {
    safe: &'a Bound<'a>,
    unified: VarSet,
    /// For each variable that is not bound yet, those on which that depends.
    unknown: BTreeMap<Var, VarSet>,
}

impl Unifier<'_> {
    fn is_bound(&self, var: &Var) -> bool {
        self.safe.contains(var) || self.unified.contains(var)
    }

    /// Whether a reference or call has a value; `None` for other terms.
    fn has_value(&self, term: &Term) -> Option<bool> {
        match &term.kind {
            TermKind::Ref(parts) => Some(is_ref_safe(parts, self.safe)),
            TermKind::Call(_) => Some(is_safe(term, self.safe)),
            _ => None,
        }
    }

    fn unify(&mut self, a: &Term, b: &Term) {
        use TermKind::{Array, ArrayComprehension, Call, Object, ObjectComprehension, Ref, SetComprehension};
        match (&a.kind, &b.kind) {
            (TermKind::Var(x), TermKind::Var(y)) => self.variables(x, y),
            (TermKind::Var(x), _) => self.variable(x, b),
            (_, TermKind::Var(y)) => self.variable(y, a),
            (Ref(_) | Call(_), Array(_) | Object(_)) if self.has_value(a) == Some(true) => self.bind_all(b),
            (Array(_) | Object(_), Ref(_) | Call(_)) if self.has_value(b) == Some(true) => self.bind_all(a),
            (ArrayComprehension(_), Array(_)) | (ObjectComprehension(_), Object(_)) => self.bind_all(b),
            (Array(_), ArrayComprehension(_) | ObjectComprehension(_) | SetComprehension(_)) => self.bind_all(a),
            (Array(left), Array(right)) if left.len() == right.len() => {
                for (x, y) in left.iter().zip(right) {
                    deeper(|| self.unify(x, y));
                }
            }
            (Object(left), Object(right)) if left.len() == right.len() => self.objects(left, right),
            _ => {}
        }
    }

    fn variables(&mut self, x: &Var, y: &Var) {
        if self.is_bound(y) {
            self.bind(x);
        } else if self.is_bound(x) {
            self.bind(y);
        } else {
            self.unknown.entry(x.clone()).or_default().insert(y.clone());
            self.unknown.entry(y.clone()).or_default().insert(x.clone());
        }
    }

    /// A variable and something that is none.
    fn variable(&mut self, var: &Var, other: &Term) {
        match &other.kind {
            TermKind::Array(_) | TermKind::Object(_) => self.pattern(var, other),
            _ => {
                if self.has_value(other) != Some(false) {
                    self.bind(var);
                }
            }
        }
    }

    /// A variable and an array or object: either binds the other once it is bound itself.
    fn pattern(&mut self, var: &Var, pattern: &Term) {
        if self.is_bound(var) {
            return self.bind_all(pattern);
        }
        let unbound: Vec<Var> =
            Scope::Pattern.of_terms([pattern]).into_iter().filter(|part| !self.is_bound(part)).collect();
        if unbound.is_empty() {
            self.bind(var);
        } else {
            self.unknown.entry(var.clone()).or_default().extend(unbound);
        }
    }

    fn objects(&mut self, left: &[(Term, Term)], right: &[(Term, Term)]) {
        let constants: BTreeMap<&Value, &Term> =
            right.iter().filter_map(|(key, value)| Some((scalar(key)?, value))).collect();
        for (key, value) in left {
            let same = match scalar(key) {
                Some(constant) => constants.get(constant).copied(),
                None => right.iter().find(|(other, _)| same_key(key, other)).map(|(_, value)| value),
            };
            if let Some(other) = same {
                deeper(|| self.unify(value, other));
            }
        }
    }

    fn bind_all(&mut self, pattern: &Term) {
        for var in Scope::Pattern.of_terms([pattern]) {
            self.bind(&var);
        }
    }

    /// Notes that a variable is bound, and with it what depends on it alone.
    fn bind(&mut self, var: &Var) {
        let mut bound = vec![var.clone()];
        while let Some(var) = bound.pop() {
            bound.extend(self.unknown.remove(&var).into_iter().flatten());
            self.unknown.retain(|dependent, needs| {
                let free = needs.remove(&var) && needs.is_empty();
                if free {
                    bound.push(dependent.clone());
                }
                !free
            });
            self.unified.insert(var);
        }
    }
}

fn scalar(term: &Term) -> Option<&Value> {
    match &term.kind {
        TermKind::Scalar(value) => Some(value),
        _ => None,
    }
}

/// Whether two keys of objects are the same constant or variable.
fn same_key(a: &Term, b: &Term) -> bool {
    match (&a.kind, &b.kind) {
        (TermKind::Scalar(x), TermKind::Scalar(y)) => x == y,
        (TermKind::Var(x), TermKind::Var(y)) => x == y,
        (TermKind::Ref(x), TermKind::Ref(y)) | (TermKind::Array(x), TermKind::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| deeper(|| same_key(x, y)))
        }
        _ => false,
    }
}
