//! Which types have values in common, and what equations tell of variables.

use std::collections::BTreeMap;

use super::body::Checker;
use super::ty::{ArrayTy, Function, ObjectTy, Ty};
use crate::compile::check::paths::constant;
use crate::compile::check::vars::deeper;
use crate::syntax::ast::{Term, TermKind};

/// Whether values of both types may be equal. Nothing fits what is unknown.
pub(super) fn unifies(a: &Ty, b: &Ty) -> bool {
    match (a, b) {
        (Ty::Unknown, _) | (_, Ty::Unknown) => false,
        (Ty::Any(_), Ty::Any(parts)) if parts.is_empty() => true,
        (Ty::Any(parts), other) | (other, Ty::Any(parts)) => one_unifies(parts, other),
        (Ty::Null, Ty::Null) | (Ty::Boolean, Ty::Boolean) | (Ty::Number, Ty::Number) | (Ty::String, Ty::String) => true,
        (Ty::Array(a), Ty::Array(b)) => arrays_unify(a, b),
        (Ty::Object(a), Ty::Object(b)) => objects_unify(a, b),
        (Ty::Set(a), Ty::Set(b)) => unifies(&a.member, &b.member),
        (Ty::Function(a), Ty::Function(b)) => functions_unify(a, b),
        _ => false,
    }
}

fn one_unifies(parts: &[Ty], other: &Ty) -> bool {
    !matches!(other, Ty::Function(_)) && (parts.is_empty() || parts.iter().any(|part| unifies(part, other)))
}

fn arrays_unify(a: &ArrayTy, b: &ArrayTy) -> bool {
    let items = a.items.len().max(b.items.len());
    let unknown = Ty::Unknown;
    (0..items).all(|place| unifies(&a.item(place), &b.item(place)))
        && (a.rest == unknown || b.rest == unknown || unifies(&a.rest, &b.rest))
}

fn objects_unify(a: &ObjectTy, b: &ObjectTy) -> bool {
    a.fields.iter().all(|(key, value)| unifies(value, &b.select(key)))
        && b.fields.iter().all(|(key, value)| unifies(value, &a.select(key)))
        && match (&a.rest, &b.rest) {
            (Some((_, a)), Some((_, b))) => unifies(a, b),
            _ => true,
        }
}

fn functions_unify(a: &Function, b: &Function) -> bool {
    a.parameters.len() == b.parameters.len()
        && a.parameters.iter().zip(&b.parameters).all(|(a, b)| unifies(&a.ty, &b.ty))
}

impl Checker<'_> {
    /// Whether the terms may be equal, given their types as far as they are known. Variables get the other's type.
    pub(super) fn unify_terms(&mut self, a: &Term, type_a: &Ty, b: &Term, type_b: &Ty) -> bool {
        match (type_a.is_unknown(), type_b.is_unknown()) {
            (true, false) => self.unify(a, type_b, false),
            (false, true) => self.unify(b, type_a, false),
            (false, false) => unifies(type_a, type_b),
            (true, true) => deeper(|| self.unify_unknown(a, b)),
        }
    }

    fn unify_unknown(&mut self, a: &Term, b: &Term) -> bool {
        use TermKind::{Array, Object, Var};
        match (&a.kind, &b.kind) {
            (Array(left), Array(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(a, b)| self.unify_parts(a, b))
            }
            (Object(left), Object(right)) => self.unify_objects(left, right),
            (Var(_) | Array(_) | Object(_), Var(_)) => self.unify_with_variable(a, b),
            (Var(_), Array(_) | Object(_)) => self.unify_with_variable(b, a),
            _ => false,
        }
    }

    fn unify_parts(&mut self, a: &Term, b: &Term) -> bool {
        let (type_a, type_b) = (self.type_of(a), self.type_of(b));
        self.unify_terms(a, &type_a, b, &type_b)
    }

    /// Lets the parts of a term be anything, and a variable what the term then is.
    fn unify_with_variable(&mut self, term: &Term, variable: &Term) -> bool {
        self.unify(term, &Ty::any(), false) && {
            let ty = self.type_of(term);
            self.unify(variable, &ty, false)
        }
    }

    fn unify_objects(&mut self, left: &[(Term, Term)], right: &[(Term, Term)]) -> bool {
        let known: BTreeMap<_, _> = right.iter().filter_map(|(key, value)| Some((constant(key)?, value))).collect();
        let same = |key: &Term| match constant(key) {
            Some(key) => known.get(&key).copied(),
            None => {
                right.iter().find(|(other, _)| key.as_var().is_some() && key.as_var() == other.as_var()).map(|(_, v)| v)
            }
        };
        left.len() == right.len()
            && left.iter().all(|(key, value)| same(key).is_some_and(|other| self.unify_parts(value, other)))
    }

    /// Whether a value of the type may equal the term. Variables without a type get it; with `union`, they may also be
    /// of the types that they have.
    pub(super) fn unify(&mut self, term: &Term, ty: &Ty, union: bool) -> bool {
        match (&term.kind, ty) {
            (TermKind::Var(name), _) => {
                let known = self.type_of_var(name);
                if union {
                    self.vars.put(name, known.or(ty.clone()));
                } else if known == Ty::Unknown {
                    self.vars.put(name, ty.clone());
                } else {
                    return unifies(&known, ty);
                }
                true
            }
            (TermKind::Array(_) | TermKind::Object(_) | TermKind::Set(_), Ty::Any(parts)) if parts.is_empty() => {
                deeper(|| self.unify_with_anything(&term.kind));
                true
            }
            (TermKind::Array(_) | TermKind::Object(_) | TermKind::Set(_), Ty::Any(parts)) => {
                // All are tried: each may tell something of the variables.
                deeper(|| parts.iter().filter(|part| self.unify(term, part, true)).count() > 0)
            }
            (TermKind::Array(items), Ty::Array(array)) => deeper(|| self.unify_array(items, array, union)),
            (TermKind::Object(entries), Ty::Object(object)) => deeper(|| self.unify_object(entries, object, union)),
            (TermKind::Set(members), Ty::Set(set)) => {
                deeper(|| members.iter().all(|member| self.unify(member, &set.member, union)))
            }
            (TermKind::Array(_) | TermKind::Object(_) | TermKind::Set(_), _) => false,
            _ => {
                let known = self.type_of(term);
                unifies(&known, ty)
            }
        }
    }

    fn unify_with_anything(&mut self, kind: &TermKind) {
        let any = Ty::any();
        match kind {
            TermKind::Array(terms) | TermKind::Set(terms) => {
                for term in terms {
                    self.unify(term, &any, true);
                }
            }
            TermKind::Object(entries) => {
                for (key, value) in entries {
                    self.unify(key, &any, true);
                    self.unify(value, &any, true);
                }
            }
            _ => {}
        }
    }

    fn unify_array(&mut self, items: &[Term], array: &ArrayTy, union: bool) -> bool {
        (items.len() == array.items.len() || array.rest != Ty::Unknown)
            && items.iter().enumerate().all(|(place, item)| self.unify(item, &array.item(place), union))
    }

    fn unify_object(&mut self, entries: &[(Term, Term)], object: &ObjectTy, union: bool) -> bool {
        let is_open = object.rest.as_ref().is_some_and(|(_, value)| *value != Ty::Unknown);
        (entries.len() == object.fields.len() || is_open)
            && entries.iter().all(|(key, value)| {
                let Some(key) = constant(key) else {
                    self.unify(value, &Ty::any(), union);
                    return true;
                };
                match object.select(&key) {
                    Ty::Unknown => false,
                    known => self.unify(value, &known, union),
                }
            })
    }
}
