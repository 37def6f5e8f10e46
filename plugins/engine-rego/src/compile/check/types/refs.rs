//! Checks references: that what is known of a value has the keys that are asked for.

use regent_core::Value;
use regent_core::engine::{ErrorCode, PolicyError};

use super::body::Checker;
use super::details;
use super::env::Node;
use super::ty::Ty;
use super::unify::unifies;
use crate::compile::check::paths::constant;
use crate::compile::check::text;
use crate::compile::check::vars::deeper;
use crate::syntax::ast::{Expr, ExprKind, Term, TermKind};
use crate::syntax::visit::Visit;

impl Checker<'_> {
    /// The errors of the references in an expression, without those in comprehensions and without the operators of
    /// calls, which are checked as such.
    pub(super) fn references_of(&mut self, expr: &Expr) -> Vec<PolicyError> {
        let mut refs = Refs { checker: self, errors: Vec::new() };
        Visit::expr(&mut refs, expr);
        refs.errors
    }

    fn reference(&mut self, term: &Term, parts: &[Term]) -> Result<(), PolicyError> {
        let Some((head, keys)) = parts.split_first() else {
            return Ok(());
        };
        if let function @ Ty::Function(_) = self.type_of(term) {
            return Err(self.no_keys(parts, parts.len() - 1, &function));
        }
        let Some(name) = head.as_var() else {
            return Ok(());
        };
        if let Some(known) = self.vars.get(name) {
            return self.keys(parts, 1, known);
        }
        match &**name {
            "data" => match (self.roots.data.clone(), self.env.data()) {
                (Some(known), _) => self.keys(parts, 1, known),
                (None, Some(node)) => self.data(parts, node),
                (None, None) => self.keys(parts, 1, Ty::any()),
            },
            "input" => {
                let known = self.type_of_input();
                self.keys(parts, 1, known)
            }
            _ => {
                if !keys.is_empty() || self.type_of_var(name) == Ty::Unknown {
                    self.vars.put(name, Ty::any());
                }
                self.keys(parts, 1, Ty::any())
            }
        }
    }

    /// Goes down the tree of rules as far as the reference is known to lead there.
    fn data(&mut self, parts: &[Term], root: &Node) -> Result<(), PolicyError> {
        let mut node = root;
        for (place, key) in parts.iter().enumerate().skip(1) {
            if place <= 2 && !is_name(key) {
                let have = self.type_of(key);
                return Err(self.wrong_key(parts, place, &have, &Ty::String, &names(node)));
            }
            if let Some(name) = key.as_var() {
                let keys = node.extent().keys();
                match self.vars.get(name) {
                    Some(known) if !unifies(&keys, &known) => {
                        return Err(self.wrong_key(parts, place, &known, &keys, &names(node)));
                    }
                    Some(_) => {}
                    None => self.vars.put(name, keys),
                }
            }
            let Some(child) = constant(key).and_then(|key| node.children.get(&key)) else {
                // Data may be there, of which nothing is known.
                return self.keys(parts, 1, Ty::any());
            };
            if let Some(value) = &child.value {
                return self.keys(parts, place + 1, value.clone());
            }
            node = child;
        }
        Ok(())
    }

    /// Checks the keys from a place on against the type of what they are keys of.
    fn keys(&mut self, parts: &[Term], from: usize, mut ty: Ty) -> Result<(), PolicyError> {
        for (place, key) in parts.iter().enumerate().skip(from) {
            let keys = ty.keys();
            if keys == Ty::Unknown {
                return Err(self.no_keys(parts, place - 1, &ty));
            }
            ty = match &key.kind {
                TermKind::Var(name) => {
                    match self.vars.get(name) {
                        Some(known) if !unifies(&known, &keys) => {
                            return Err(self.wrong_key(parts, place, &known, &keys, &known_keys(&ty)));
                        }
                        Some(_) => {}
                        None => self.vars.put(name, keys),
                    }
                    ty.values()
                }
                TermKind::Ref(_) => {
                    let known = self.type_of(key);
                    if known != Ty::Unknown && !unifies(&known, &keys) {
                        return Err(self.wrong_key(parts, place, &known, &keys, &known_keys(&ty)));
                    }
                    ty.values()
                }
                TermKind::Array(_) | TermKind::Object(_) | TermKind::Set(_) => {
                    if !self.unify(key, &keys, false) {
                        let known = self.type_of(key);
                        return Err(self.wrong_key(parts, place, &known, &keys, &[]));
                    }
                    ty.values()
                }
                TermKind::Scalar(constant) => match ty.select(constant) {
                    Ty::Unknown => {
                        return Err(self.wrong_key(parts, place, &Ty::Unknown, &keys, &known_keys(&ty)));
                    }
                    selected => selected,
                },
                _ => return Err(self.wrong_key(parts, place, &Ty::Unknown, &keys, &known_keys(&ty))),
            };
        }
        Ok(())
    }

    fn undefined(&self, parts: &[Term]) -> (PolicyError, Vec<Term>) {
        let shown: Vec<Term> = parts.iter().map(|part| self.originals.restored(part)).collect();
        let place = parts.first().map(|head| head.span.location());
        (PolicyError::new(ErrorCode::Type, format!("undefined ref: {}", text::reference(&shown)), place), shown)
    }

    fn no_keys(&self, parts: &[Term], place: usize, have: &Ty) -> PolicyError {
        let (error, shown) = self.undefined(parts);
        let lines = details::lines_of_no_keys(&shown, place, have);
        PolicyError { details: Some(details::no_keys(&shown, place, have)), lines, ..error }
    }

    fn wrong_key(&self, parts: &[Term], place: usize, have: &Ty, want: &Ty, one_of: &[Value]) -> PolicyError {
        let (error, shown) = self.undefined(parts);
        let lines = details::lines_of_wrong_key(&shown, place, have, want, one_of);
        PolicyError { details: Some(details::wrong_key(&shown, place, have, want, one_of)), lines, ..error }
    }
}

/// Whether the key may be the name of a package or rule.
fn is_name(key: &Term) -> bool {
    key.as_var().is_some() || key.as_text().is_some()
}

fn names(node: &Node) -> Vec<Value> {
    node.children.keys().cloned().collect()
}

/// The keys that an object has for sure.
fn known_keys(ty: &Ty) -> Vec<Value> {
    let mut keys: Vec<Value> = match ty {
        Ty::Object(object) => object.fields.keys().cloned().collect(),
        Ty::Any(parts) => parts.iter().flat_map(known_keys).collect(),
        _ => Vec::new(),
    };
    keys.sort();
    keys.dedup();
    keys
}

struct Refs<'c, 'a> {
    checker: &'c mut Checker<'a>,
    errors: Vec<PolicyError>,
}

impl Visit for Refs<'_, '_> {
    fn expr(&mut self, expr: &Expr) {
        // OPA passes over the modifiers here.
        match &expr.kind {
            ExprKind::Term(term) => self.term(term),
            ExprKind::Call(terms) => terms.iter().skip(1).for_each(|term| self.term(term)),
            _ => deeper(|| self.walk_expr(expr)),
        }
    }

    fn term(&mut self, term: &Term) {
        match &term.kind {
            TermKind::Scalar(_)
            | TermKind::Var(_)
            | TermKind::ArrayComprehension(_)
            | TermKind::SetComprehension(_)
            | TermKind::ObjectComprehension(_) => {}
            TermKind::Ref(parts) => {
                let is_function = matches!(self.checker.type_of(term), Ty::Function(_));
                if let Err(error) = self.checker.reference(term, parts) {
                    self.errors.push(error);
                }
                if !is_function {
                    deeper(|| self.walk_term(term));
                }
            }
            _ => deeper(|| self.walk_term(term)),
        }
    }
}
