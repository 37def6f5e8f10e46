//! Calls of `print`, which are erased or kept.
//!
//! A call that is kept becomes one of `internal.print`, with each operand in a set comprehension, `{x | x = operand}`, so
//! that one that is undefined does not end the body.

use regent_core::engine::ErrorCode;

use super::each_rule;
use crate::compile::build::{always, calls, captured, expr, operator, renumber};
use crate::compile::check::Arities;
use crate::compile::check::outputs;
use crate::compile::check::vars::{Scope, VarSet};
use crate::compile::declared::is_generated;
use crate::compile::locals::is_wildcard;
use crate::compile::{Compiler, Errors, Locals, reserved};
use crate::syntax::ast::{Body, Expr, ExprKind, Span, Term, TermKind};
use crate::syntax::visit::{Visit, VisitMut};

/// The stage for modules.
pub(in crate::compile) fn print_calls(compiler: &mut Compiler<'_>) {
    let Compiler { modules, builtins, options, errors, locals, rules, .. } = compiler;
    if !options.print {
        return modules.iter_mut().for_each(|(_, module)| Eraser.walk_module(module));
    }
    let arities = Arities::new(builtins, rules);
    let mut keeper = Keeper { locals, arities: &arities, errors, safe: VarSet::new() };
    each_rule(modules, |rule| {
        keeper.safe = reserved();
        keeper.safe.append(&mut Scope::All.of_terms(rule.head.args.iter().flatten()));
        let head = &mut rule.head;
        head.args.iter_mut().flatten().chain(&mut head.key).chain(&mut head.value).for_each(|term| keeper.term(term));
        keeper.body(&mut rule.body);
    });
}

/// The stage for a query, if calls are erased.
pub(in crate::compile) fn erase_in_body(body: &mut Body) {
    Eraser.body(body);
}

/// The stage for a query, if calls are kept.
pub(in crate::compile) fn keep_in_body(
    body: &mut Body,
    locals: &mut Locals,
    arities: &Arities<'_>,
    errors: &mut Errors,
) {
    Keeper { locals, arities, errors, safe: reserved() }.body(body);
}

fn is_print(expr: &Expr) -> bool {
    calls(expr, "print")
}

struct Eraser;

impl VisitMut for Eraser {
    fn body(&mut self, body: &mut Body) {
        self.walk_body(body);
        if !body.iter().any(is_print) {
            return;
        }
        let start: Span = body[0].span.clone();
        body.retain(|expr| !is_print(expr));
        if body.is_empty() {
            body.push(always(start));
        }
        renumber(body);
    }
}

struct Keeper<'a> {
    locals: &'a mut Locals,
    arities: &'a Arities<'a>,
    errors: &'a mut Errors,
    /// The variables that are bound at the current place.
    safe: VarSet,
}

impl Keeper<'_> {
    /// Calls in the closures of a body may use what expressions before them bind.
    fn closures(&mut self, body: &mut Body) {
        for expr in body {
            if Finder::any(expr, is_closure) {
                self.expr(expr);
            }
            self.bind(expr);
        }
    }

    fn calls(&mut self, body: &mut Body) {
        for expr in body {
            if is_print(expr) {
                self.call(expr);
            }
            self.bind(expr);
            self.safe.extend(Scope::All.of_expr(expr).into_iter().filter(|name| is_generated(name)));
        }
    }

    fn bind(&mut self, expr: &Expr) {
        let mut outputs = outputs::of_expr(expr, self.arities, &self.safe);
        self.safe.append(&mut outputs);
    }

    fn call(&mut self, call: &mut Expr) {
        let ExprKind::Call(terms) = &mut call.kind else { return };
        let mut is_safe = true;
        for operand in &terms[1..] {
            for name in Scope::Body.of_terms([operand]).difference(&self.safe) {
                is_safe = false;
                let shown = if is_wildcard(name) { "_" } else { &**name };
                self.errors.add(ErrorCode::Compile, &operand.span, format!("var {shown} is undeclared"));
            }
        }
        if !is_safe {
            return;
        }
        let operands = terms.drain(1..).map(|operand| {
            let span = operand.span.clone();
            captured(self.locals, operand, Vec::new(), &span)
        });
        let operands = Term::new(TermKind::Array(operands.collect()), call.span.clone());
        let terms = vec![operator("internal.print", &call.span), operands];
        *call = Expr { index: call.index, ..expr(ExprKind::Call(terms), call.span.clone()) };
    }
}

impl VisitMut for Keeper<'_> {
    fn body(&mut self, body: &mut Body) {
        if !body.iter().any(|expr| Finder::any(expr, |node| matches!(node, Node::Expr(expr) if is_print(expr)))) {
            return;
        }
        let outside = self.safe.clone();
        self.closures(body);
        self.safe.clone_from(&outside);
        self.calls(body);
        self.safe = outside;
    }

    fn expr(&mut self, expr: &mut Expr) {
        if let ExprKind::Every(every) = &mut expr.kind {
            self.term(&mut every.domain);
            let outside = self.safe.clone();
            self.safe.append(&mut Scope::All.of_terms(every.key.iter().chain([&every.value])));
            self.body(&mut every.body);
            self.safe = outside;
        } else {
            self.walk_expr(expr);
        }
    }
}

/// What a finder looks at.
enum Node<'n> {
    Term(&'n Term),
    Expr(&'n Expr),
}

fn is_closure(node: &Node<'_>) -> bool {
    match node {
        Node::Term(term) => matches!(
            term.kind,
            TermKind::ArrayComprehension(_) | TermKind::SetComprehension(_) | TermKind::ObjectComprehension(_)
        ),
        Node::Expr(expr) => matches!(expr.kind, ExprKind::Every(_)),
    }
}

/// Finds out whether there is such a node.
struct Finder<F> {
    wanted: F,
    found: bool,
}

impl<F: Fn(&Node<'_>) -> bool> Finder<F> {
    fn any(expr: &Expr, wanted: F) -> bool {
        let mut finder = Self { wanted, found: false };
        finder.expr(expr);
        finder.found
    }
}

impl<F: Fn(&Node<'_>) -> bool> Visit for Finder<F> {
    fn expr(&mut self, expr: &Expr) {
        self.found = self.found || (self.wanted)(&Node::Expr(expr));
        if !self.found {
            self.walk_expr(expr);
        }
    }

    fn term(&mut self, term: &Term) {
        self.found = self.found || (self.wanted)(&Node::Term(term));
        if !self.found {
            self.walk_term(term);
        }
    }
}
