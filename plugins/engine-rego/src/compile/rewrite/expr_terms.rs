//! Calls within terms move into expressions of their own, before the one that they are in.
//!
//! `f(g(x))` becomes `g(x, __local0__); f(__local0__)`. The head of a reference that is a composite does so, too:
//! `[1, 2][i]` becomes `__local0__ = [1, 2]; __local0__[i]`.

use super::{each_rule, order};
use crate::compile::build::{extract, renumber};
use crate::compile::{Compiler, Locals};
use crate::syntax::ast::{Body, Expr, ExprKind, Term, TermKind};
use crate::syntax::visit::deeper;

/// The stage for modules.
pub(in crate::compile) fn expr_terms(compiler: &mut Compiler<'_>) {
    let Compiler { modules, locals, .. } = compiler;
    let mut expander = Expander { locals };
    each_rule(modules, |rule| {
        let (head, mut support) = (&mut rule.head, Vec::new());
        for term in head.args.iter_mut().flatten().chain(&mut head.key).chain(&mut head.value) {
            expander.term(term, &mut support);
        }
        expander.body(&mut rule.body, support);
    });
}

/// The stage for a query.
pub(in crate::compile) fn in_body(body: &mut Body, locals: &mut Locals) {
    Expander { locals }.body(body, Vec::new());
}

struct Expander<'a> {
    locals: &'a mut Locals,
}

impl Expander<'_> {
    /// A body, and behind it what was found for it before.
    fn body(&mut self, body: &mut Body, support: Vec<Expr>) {
        let mut expanded = Body::with_capacity(body.len() + support.len());
        for expr in body.drain(..) {
            self.expr(expr, &mut expanded);
        }
        expanded.extend(support);
        renumber(&mut expanded);
        *body = expanded;
    }

    fn expr(&mut self, mut expr: Expr, out: &mut Vec<Expr>) {
        for with in &mut expr.with {
            self.term(&mut with.value, out);
        }
        let from = out.len();
        match &mut expr.kind {
            ExprKind::Term(term) => self.term(term, out),
            ExprKind::Call(terms) => terms.iter_mut().skip(1).for_each(|term| self.term(term, out)),
            ExprKind::Every(every) => {
                let domain = extract(self.locals, &mut every.domain);
                deeper(|| {
                    self.expr(domain, out);
                    self.body(&mut every.body, Vec::new());
                });
            }
            ExprKind::Some(_) => {}
        }
        if !expr.with.is_empty() {
            out[from..].iter_mut().for_each(|support| support.with.clone_from(&expr.with));
        }
        out.push(expr);
    }

    fn term(&mut self, term: &mut Term, out: &mut Vec<Expr>) {
        if !matches!(term.kind, TermKind::Scalar(_) | TermKind::Var(_)) {
            deeper(|| self.composite(term, out));
        }
    }

    fn terms(&mut self, terms: &mut [Term], out: &mut Vec<Expr>) {
        for term in terms {
            self.term(term, out);
        }
    }

    fn composite(&mut self, term: &mut Term, out: &mut Vec<Expr>) {
        match &mut term.kind {
            TermKind::Scalar(_) | TermKind::Var(_) | TermKind::Template(_) => {}
            TermKind::Call(terms) => {
                terms.iter_mut().skip(1).for_each(|term| self.term(term, out));
                let result = Term::var(self.locals.generate(), term.span.clone());
                let TermKind::Call(mut terms) = std::mem::replace(&mut term.kind, result.kind.clone()) else { return };
                terms.push(result);
                let call = ExprKind::Call(terms);
                out.push(Expr { generated: true, ..crate::compile::build::expr(call, term.span.clone()) });
            }
            TermKind::Ref(parts) => {
                self.terms(parts, out);
                if let Some(head) = parts.first_mut().filter(|head| !matches!(head.kind, TermKind::Var(_))) {
                    out.push(extract(self.locals, head));
                }
            }
            TermKind::Array(items) => self.terms(items, out),
            TermKind::Set(items) => {
                self.terms(items, out);
                order::restore(term);
            }
            TermKind::Object(entries) => {
                for (key, value) in entries {
                    self.term(key, out);
                    self.term(value, out);
                }
                order::restore(term);
            }
            TermKind::ArrayComprehension(parts) | TermKind::SetComprehension(parts) => {
                let mut support = Vec::new();
                self.term(&mut parts.term, &mut support);
                self.body(&mut parts.body, support);
            }
            TermKind::ObjectComprehension(parts) => {
                let mut support = Vec::new();
                self.term(&mut parts.key, &mut support);
                self.term(&mut parts.value, &mut support);
                self.body(&mut parts.body, support);
            }
        }
    }
}
