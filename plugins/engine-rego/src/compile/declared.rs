//! Finds variables by how they are introduced.

use super::build::is_assignment;
use super::check::vars::{Scope, VarSet};
use crate::syntax::ast::{Body, Expr, ExprKind, Module, Term, TermKind};
use crate::syntax::visit::Visit;

/// What every generated variable begins with.
pub(crate) const PREFIX: &str = "__local";

/// Whether a variable is the compiler's rather than the text's.
pub(crate) fn is_generated(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Those variables of a module that are named as generated ones are.
pub(crate) fn generated_in_module(module: &Module) -> VarSet {
    let mut finder = Generated::default();
    finder.walk_module(module);
    finder.0
}

/// Those variables of a body that are named as generated ones are.
pub(crate) fn generated_in_body(body: &Body) -> VarSet {
    let mut finder = Generated::default();
    finder.body(body);
    finder.0
}

/// The variables that `:=` and `some` declare in a body, its `every` bodies included, its comprehensions not.
pub(crate) fn declared(body: &[Expr]) -> VarSet {
    let mut finder = Declared::default();
    for expr in body {
        finder.expr(expr);
    }
    finder.0
}

#[derive(Default)]
struct Generated(VarSet);

impl Visit for Generated {
    fn term(&mut self, term: &Term) {
        match &term.kind {
            TermKind::Var(name) if is_generated(name) => {
                self.0.insert(name.clone());
            }
            _ => self.walk_term(term),
        }
    }
}

#[derive(Default)]
struct Declared(VarSet);

impl Visit for Declared {
    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Call(terms) if terms.len() == 3 && is_assignment(expr) => {
                self.0.append(&mut Scope::All.of_terms([&terms[1]]));
            }
            ExprKind::Some(symbols) => symbols.iter().for_each(|symbol| self.symbol(symbol)),
            _ => {}
        }
        self.walk_expr(expr);
    }

    fn term(&mut self, term: &Term) {
        match &term.kind {
            TermKind::ArrayComprehension(_) | TermKind::SetComprehension(_) | TermKind::ObjectComprehension(_) => {}
            _ => self.walk_term(term),
        }
    }
}

impl Declared {
    fn symbol(&mut self, symbol: &Term) {
        match &symbol.kind {
            TermKind::Var(name) => {
                self.0.insert(name.clone());
            }
            // The operator, the one or two patterns, and the collection.
            TermKind::Call(terms) if terms.len() > 2 => {
                self.0.append(&mut Scope::All.of_terms(&terms[1..terms.len() - 1]));
            }
            _ => {}
        }
    }
}
