//! Walks in the order of OPA's: arguments, key and value of a rule's head, then its body; not the head's reference.

use super::vars::deeper;
use crate::syntax::ast::{Body, Expr, Module, Rule, Term};
use crate::syntax::visit::Visit;

/// Calls a function with each rule and each `else` of a module.
pub(super) fn each_rule<'m>(module: &'m Module, mut visit: impl FnMut(&'m Rule)) {
    for rule in &module.rules {
        branches(rule).for_each(&mut visit);
    }
}

/// A rule and its `else` branches.
pub(super) fn branches(rule: &Rule) -> impl Iterator<Item = &Rule> {
    std::iter::successors(Some(rule), |rule| rule.else_branch.as_deref())
}

/// A rule and its `else` branches, to be changed.
pub(super) fn each_branch_mut(rule: &mut Rule, mut change: impl FnMut(&mut Rule)) {
    let mut next = Some(rule);
    while let Some(rule) = next {
        change(rule);
        next = rule.else_branch.as_deref_mut();
    }
}

/// Tells whether what is within is to be visited, too.
type Visitor<'v, T> = &'v mut dyn FnMut(&T) -> bool;

/// A walk that calls a function with each term or each expression.
pub(super) struct Walk<'v> {
    term: Option<Visitor<'v, Term>>,
    expr: Option<Visitor<'v, Expr>>,
}

impl<'v> Walk<'v> {
    /// Visits all terms.
    pub(super) fn terms(visit: Visitor<'v, Term>) -> Self {
        Self { term: Some(visit), expr: None }
    }

    /// Visits all expressions.
    pub(super) fn exprs(visit: Visitor<'v, Expr>) -> Self {
        Self { term: None, expr: Some(visit) }
    }

    /// Goes through one rule without its `else`.
    pub(super) fn rule(&mut self, rule: &Rule) {
        let head = &rule.head;
        for term in head.args.iter().flatten().chain(&head.key).chain(&head.value) {
            self.term(term);
        }
        Visit::body(self, &rule.body);
    }

    /// Goes through a body.
    pub(super) fn body(&mut self, body: &Body) {
        Visit::body(self, body);
    }
}

impl Visit for Walk<'_> {
    fn expr(&mut self, expr: &Expr) {
        if self.expr.as_mut().is_none_or(|visit| visit(expr)) {
            deeper(|| self.walk_expr(expr));
        }
    }

    fn term(&mut self, term: &Term) {
        if self.term.as_mut().is_none_or(|visit| visit(term)) {
            deeper(|| self.walk_term(term));
        }
    }
}
