//! The values of the expressions of a query, which results show beside the bindings.

use super::Capture;
use crate::compile::RuleTree;
use crate::compile::build::{called, equality, is_assignment, is_equality, push};
use crate::compile::check::builtin_name;
use crate::syntax::ast::{Body, Expr, ExprKind, Span, Term, TermKind};
use crate::syntax::visit::Visit;
use regent_builtins::Builtins;

/// What the variables that hold values begin with.
const PREFIX: &str = "$term";

/// Gives each expression that has a value a variable for it. Where the query has several expressions or iterates, the
/// value has to be true as well.
pub(super) fn capture_values(body: &mut Body, builtins: &Builtins, rules: &RuleTree) {
    let is_checked = body.len() > 1 || Iteration::in_body(body, builtins);
    let mut count = 0;
    let mut checks = Vec::new();
    for expr in body.iter_mut() {
        if expr.negated || is_assignment(expr) || is_equality(expr) || !has_value(expr, builtins, rules) {
            continue;
        }
        count += 1;
        let variable = Term::var(format!("{PREFIX}{count}"), Span::default());
        if is_checked {
            let check =
                Expr { kind: ExprKind::Term(variable.clone()), with: Vec::new(), generated: true, ..expr.clone() };
            checks.push(check);
        }
        capture(expr, variable);
    }
    for check in checks {
        push(body, check);
    }
}

/// Where the value of each expression is found.
pub(super) fn captures(body: &Body) -> Vec<(Span, Capture)> {
    body.iter().filter(|expr| !expr.generated).map(|expr| (expr.span.clone(), found(expr))).collect()
}

fn found(expr: &Expr) -> Capture {
    let ExprKind::Call(terms) = &expr.kind else { return Capture::True };
    match terms.last().and_then(Term::as_var) {
        Some(variable) if variable.starts_with(PREFIX) => Capture::Var(variable.clone()),
        _ => Capture::True,
    }
}

/// Whether an expression is a term, or a call with no operand for its result.
fn has_value(expr: &Expr, builtins: &Builtins, rules: &RuleTree) -> bool {
    match &expr.kind {
        ExprKind::Term(_) => true,
        ExprKind::Call(terms) => {
            let Some(operator) = terms.first() else { return false };
            match builtin_name(operator).and_then(|name| builtins.get(&name)) {
                Some(builtin) => {
                    let declared = builtin.declaration();
                    declared.result.is_some() && declared.parameters.len() == terms.len() - 1
                }
                None => called(expr).and_then(|path| rules.at(path)).map_or(0, |node| node.arity) == terms.len() - 1,
            }
        }
        ExprKind::Some(_) | ExprKind::Every(_) => false,
    }
}

fn capture(captured: &mut Expr, variable: Term) {
    match &mut captured.kind {
        ExprKind::Call(terms) => terms.push(variable),
        ExprKind::Term(term) => captured.kind = equality(term.clone(), variable, captured.span.clone()).kind,
        ExprKind::Some(_) | ExprKind::Every(_) => {}
    }
}

/// Finds out whether a query goes over several values outside its comprehensions.
struct Iteration<'a> {
    builtins: &'a Builtins,
    found: bool,
}

impl<'a> Iteration<'a> {
    fn in_body(body: &Body, builtins: &'a Builtins) -> bool {
        let mut finder = Self { builtins, found: false };
        finder.body(body);
        finder.found
    }
}

impl Visit for Iteration<'_> {
    fn term(&mut self, term: &Term) {
        match &term.kind {
            TermKind::ArrayComprehension(_) | TermKind::SetComprehension(_) | TermKind::ObjectComprehension(_) => {
                return;
            }
            TermKind::Ref(parts) => {
                let builtin = builtin_name(term).and_then(|name| self.builtins.get(&name));
                self.found = self.found
                    || builtin.is_some_and(|builtin| builtin.declaration().relation)
                    || parts.iter().skip(1).any(|part| part.as_var().is_some());
            }
            _ => {}
        }
        if !self.found {
            self.walk_term(term);
        }
    }
}
