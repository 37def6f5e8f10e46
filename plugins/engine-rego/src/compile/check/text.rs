//! Paths as messages show them.

use crate::syntax::ast::{Module, Rule, Span, Term, TermKind};

/// The reference in Rego.
pub(super) fn reference(parts: &[Term]) -> String {
    Term::new(TermKind::Ref(parts.to_vec()), Span::default()).to_string()
}

/// The whole path of a rule, package and reference.
pub(super) fn rule_path(module: &Module, rule: &Rule) -> Vec<Term> {
    let mut path = module.package.path.clone();
    let (name, rest) = rule.head.reference.split_at(rule.head.reference.len().min(1));
    path.extend(name.iter().map(|name| match name.as_var() {
        Some(text) => Term::scalar(&**text, name.span.clone()),
        None => name.clone(),
    }));
    path.extend_from_slice(rest);
    path
}
