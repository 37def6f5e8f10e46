//! The type of a term.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::body::Checker;
use super::env::Node;
use super::ty::{Function, Ty};
use crate::compile::check::functions::builtin_name;
use crate::compile::check::paths::constant;
use crate::compile::check::vars::deeper;
use crate::syntax::ast::{Term, TermKind, Var};

impl Checker<'_> {
    /// What is known of the term's type.
    pub(super) fn type_of(&mut self, term: &Term) -> Ty {
        match &term.kind {
            TermKind::Scalar(value) => Ty::of_value(value),
            TermKind::Var(name) => self.type_of_var(name),
            TermKind::Ref(parts) => self.type_of_ref(term, parts),
            TermKind::Call(_) | TermKind::Template(_) => Ty::Unknown,
            _ => deeper(|| self.type_of_composite(&term.kind)),
        }
    }

    /// What annotations or a schema say of the input.
    pub(super) fn type_of_input(&self) -> Ty {
        self.roots.input.clone().or_else(|| self.env.input.clone()).unwrap_or_else(Ty::any)
    }

    /// What is known of a variable's type.
    pub(super) fn type_of_var(&self, name: &Var) -> Ty {
        if let Some(known) = self.vars.get(name) {
            return known;
        }
        // OPA looks among the functions, too.
        self.builtin(name).unwrap_or_default()
    }

    /// The type of a built-in function.
    fn builtin(&self, name: &str) -> Option<Ty> {
        let builtin = self.builtins.get(name)?;
        Some(Ty::Function(Arc::new(Function::of_builtin(builtin.declaration()))))
    }

    fn type_of_composite(&mut self, kind: &TermKind) -> Ty {
        match kind {
            TermKind::Array(items) => {
                let rest = if items.is_empty() { Ty::any() } else { Ty::Unknown };
                Ty::array(items.iter().map(|item| self.type_of(item)).collect(), rest)
            }
            TermKind::Object(entries) => self.type_of_object(entries),
            TermKind::Set(members) if members.is_empty() => Ty::set(Ty::any()),
            TermKind::Set(members) => {
                let member = members.iter().fold(Ty::Unknown, |all, member| all.or(self.type_of(member)));
                Ty::set(if member == Ty::Unknown { Ty::any() } else { member })
            }
            TermKind::ArrayComprehension(_) | TermKind::SetComprehension(_) | TermKind::ObjectComprehension(_) => {
                // Its body is checked only once.
                let known = self.closures.get(&std::ptr::from_ref(kind)).cloned();
                known.or_else(|| self.check_comprehension(kind).map(|(ty, _)| ty)).unwrap_or_default()
            }
            _ => Ty::Unknown,
        }
    }

    fn type_of_object(&mut self, entries: &[(Term, Term)]) -> Ty {
        let mut fields = BTreeMap::new();
        let mut rest = None;
        for (key, value) in entries {
            match constant(key) {
                Some(key) => {
                    fields.insert(key, self.type_of(value));
                }
                None => rest = Some((self.type_of(key), self.type_of(value))),
            }
        }
        if fields.is_empty() && rest.is_none() {
            rest = Some((Ty::any(), Ty::any()));
        }
        Ty::object(fields, rest)
    }

    /// The type of a comprehension whose body was just checked.
    pub(super) fn type_of_results(&mut self, kind: &TermKind) -> Ty {
        match kind {
            TermKind::ArrayComprehension(parts) => Ty::array(Vec::new(), self.type_of(&parts.term)),
            TermKind::SetComprehension(parts) => Ty::set(self.type_of(&parts.term)),
            TermKind::ObjectComprehension(parts) => {
                let rest = (self.type_of(&parts.key), self.type_of(&parts.value));
                Ty::object(BTreeMap::new(), Some(rest))
            }
            _ => Ty::Unknown,
        }
    }

    fn type_of_ref(&mut self, term: &Term, parts: &[Term]) -> Ty {
        let Some((head, keys)) = parts.split_first() else {
            return Ty::Unknown;
        };
        let Some(name) = head.as_var() else {
            return Ty::Unknown;
        };
        if let Some(known) = self.vars.get(name) {
            return select(known, keys);
        }
        match &**name {
            "input" => select(self.type_of_input(), keys),
            "data" => match (&self.roots.data, self.env.data()) {
                (Some(known), _) => select(known.clone(), keys),
                (None, Some(node)) => below(node, keys),
                (None, None) => Ty::any(),
            },
            _ => builtin_name(term).and_then(|name| self.builtin(&name)).unwrap_or_default(),
        }
    }
}

/// The type of what is at the end of the keys.
fn select(ty: Ty, keys: &[Term]) -> Ty {
    keys.iter().fold(ty, |ty, key| match &key.kind {
        TermKind::Var(_) | TermKind::Ref(_) | TermKind::Array(_) | TermKind::Object(_) | TermKind::Set(_) => {
            ty.values()
        }
        TermKind::Scalar(key) => ty.select(key),
        _ => Ty::Unknown,
    })
}

/// The type of what is at the end of the keys below a node.
fn below(mut node: &Node, mut keys: &[Term]) -> Ty {
    while let Some((key, rest)) = keys.split_first() {
        let child = constant(key).map(|key| node.children.get(&key));
        match (child, &node.value) {
            (Some(Some(child)), _) => node = child,
            (_, Some(value)) => return select(value.clone(), keys),
            (None, None) => return select(node.extent(), keys),
            (Some(None), None) => return Ty::any(),
        }
        keys = rest;
    }
    node.extent()
}
