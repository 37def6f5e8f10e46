//! References and comprehensions within terms move before the expression that they are in.
//!
//! `f(data.x[i])` becomes `__local0__ = data.x[i]; f(__local0__)`. This is why `not startswith(input.x, "a")` is
//! undefined where `input.x` is.

use super::{each_rule, order};
use crate::compile::build::{extract, is_equality, renumber};
use crate::compile::{Compiler, Locals};
use crate::syntax::ast::{Body, Expr, ExprKind, Term, TermKind, With};
use crate::syntax::visit::deeper;

/// The stage for modules.
pub(in crate::compile) fn dynamic_terms(compiler: &mut Compiler<'_>) {
    let Compiler { modules, locals, .. } = compiler;
    each_rule(modules, |rule| in_body(&mut rule.body, locals));
}

/// The stage for a query.
pub(in crate::compile) fn in_body(body: &mut Body, locals: &mut Locals) {
    let mut rewritten = Body::with_capacity(body.len());
    for mut expr in body.drain(..) {
        let is_equality = is_equality(&expr);
        let mut hoister = Hoister { locals, with: &expr.with, out: &mut rewritten };
        match &mut expr.kind {
            ExprKind::Call(terms) if is_equality => {
                if let [_, left, right] = &mut terms[..] {
                    hoister.whole(left);
                    hoister.whole(right);
                }
            }
            ExprKind::Call(terms) => terms.iter_mut().skip(1).for_each(|term| hoister.part(term)),
            ExprKind::Every(every) => {
                hoister.part(&mut every.domain);
                deeper(|| in_body(&mut every.body, locals));
            }
            ExprKind::Term(term) => hoister.whole(term),
            ExprKind::Some(_) => {}
        }
        rewritten.push(expr);
    }
    renumber(&mut rewritten);
    *body = rewritten;
}

/// Moves the terms of one expression before it.
struct Hoister<'a> {
    locals: &'a mut Locals,
    /// Its modifiers, which hold for its terms, too.
    with: &'a [With],
    out: &'a mut Vec<Expr>,
}

impl Hoister<'_> {
    /// A term that may stay a reference or comprehension.
    fn whole(&mut self, term: &mut Term) {
        match &mut term.kind {
            TermKind::Ref(parts) => parts.iter_mut().skip(1).for_each(|part| self.part(part)),
            TermKind::ArrayComprehension(parts) | TermKind::SetComprehension(parts) => {
                deeper(|| in_body(&mut parts.body, self.locals));
            }
            TermKind::ObjectComprehension(parts) => deeper(|| in_body(&mut parts.body, self.locals)),
            _ => self.part(term),
        }
    }

    /// A term that must not.
    fn part(&mut self, term: &mut Term) {
        match &mut term.kind {
            TermKind::Scalar(_) | TermKind::Var(_) | TermKind::Call(_) | TermKind::Template(_) => {}
            TermKind::Array(items) => deeper(|| items.iter_mut().for_each(|item| self.part(item))),
            TermKind::Set(items) => {
                deeper(|| items.iter_mut().for_each(|item| self.part(item)));
                order::restore(term);
            }
            TermKind::Object(entries) => {
                deeper(|| {
                    for (key, value) in entries {
                        self.part(key);
                        self.part(value);
                    }
                });
                order::restore(term);
            }
            _ => {
                deeper(|| self.whole(term));
                let equality = extract(self.locals, term);
                self.out.push(Expr { with: self.with.to_vec(), ..equality });
            }
        }
    }
}
