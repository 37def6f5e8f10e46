//! `==` becomes `=`, which is faster to evaluate and says the same once all variables are known to be bound.

use crate::compile::Compiler;
use crate::compile::build::{calls, operator};
use crate::compile::each::each_module;
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::visit::VisitMut;

/// The stage. Queries do not have it: there `==` has a value of its own, `true` or `false`.
pub(in crate::compile) fn equals(compiler: &mut Compiler<'_>) {
    each_module(&mut compiler.modules, &mut compiler.errors, |module, _| Rewriter.walk_module(module));
}

struct Rewriter;

impl VisitMut for Rewriter {
    fn expr(&mut self, expr: &mut Expr) {
        if calls(expr, "equal")
            && let ExprKind::Call(terms) = &mut expr.kind
            && let [equal, _, _] = &mut terms[..]
        {
            *equal = operator("eq", &equal.span);
        }
        self.walk_expr(expr);
    }
}
