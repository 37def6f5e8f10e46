//! Template strings become calls of `internal.template_string`.
//!
//! Each expression within is wrapped in a set comprehension, `{x | x = expression}`, so that one that is undefined does
//! not make the whole string undefined.

use regent_core::engine::{ErrorCode, PolicyError};

use super::each_rule;
use crate::compile::build::{captured, operator};
use crate::compile::check::outputs;
use crate::compile::check::vars::{Scope, VarSet};
use crate::compile::check::{Arities, builtin_name};
use crate::compile::{Compiler, Errors, Locals, reserved};
use crate::syntax::ast::{Body, Expr, ExprKind, Rule, Span, Template, TemplatePart, Term, TermKind};
use crate::syntax::visit::{Visit, VisitMut};
use regent_builtins::Builtins;

/// The stage for modules.
pub(in crate::compile) fn template_strings(compiler: &mut Compiler<'_>) {
    let Compiler { modules, builtins, errors, locals, rules, .. } = compiler;
    let arities = Arities::new(builtins, rules);
    let mut rewriter = Rewriter { locals, arities: &arities, builtins, errors, safe: VarSet::new() };
    each_rule(modules, |rule| rewriter.rule_without_branches(rule));
}

/// The stage for a query.
pub(in crate::compile) fn in_body(
    body: &mut Body,
    locals: &mut Locals,
    arities: &Arities<'_>,
    builtins: &Builtins,
    errors: &mut Errors,
) {
    if Finder::in_body(body) {
        let mut rewriter = Rewriter { locals, arities, builtins, errors, safe: reserved() };
        rewriter.scope(body);
    }
}

struct Rewriter<'a> {
    locals: &'a mut Locals,
    arities: &'a Arities<'a>,
    builtins: &'a Builtins,
    errors: &'a mut Errors,
    /// The variables that are bound at the current place.
    safe: VarSet,
}

impl Rewriter<'_> {
    fn rule_without_branches(&mut self, rule: &mut Rule) {
        if !Finder::in_rule(rule) {
            return;
        }
        self.safe = reserved();
        self.safe.append(&mut Scope::All.of_terms(rule.head.args.iter().flatten()));
        self.scope(&mut rule.body);
        let head = &mut rule.head;
        head.args.iter_mut().flatten().chain(&mut head.key).chain(&mut head.value).for_each(|term| self.term(term));
    }

    /// A body and, from then on, what stands beside it: all that the body binds is bound.
    fn scope(&mut self, body: &mut Body) {
        let mut bound = outputs::of_body(body, self.arities, &self.safe);
        self.safe.append(&mut bound);
        self.body(body);
    }

    fn closure(&mut self, visit: impl FnOnce(&mut Self)) {
        let outside = self.safe.clone();
        visit(self);
        self.safe = outside;
    }

    fn template(&mut self, template: Template, span: &Span) -> Vec<Term> {
        let parts = template.parts.into_iter();
        let mut terms: Vec<Term> = parts
            .filter_map(|part| match part {
                TemplatePart::Text(text) => Some(text),
                TemplatePart::Expr(expr) => self.part(expr),
            })
            .collect();
        if terms.is_empty() {
            terms.push(Term::scalar("", span.clone()));
        }
        terms
    }

    fn part(&mut self, expr: Expr) -> Option<Term> {
        let (term, location) = match expr.kind {
            ExprKind::Call(terms) => {
                self.refuse_relation(&terms)?;
                (Term::new(TermKind::Call(terms), expr.span.clone()), None)
            }
            ExprKind::Term(term) => {
                let location = term.span.location();
                (term, Some(location))
            }
            ExprKind::Some(_) | ExprKind::Every(_) => {
                self.errors.add(ErrorCode::Compile, &expr.span, "unexpected template-string expression type");
                return None;
            }
        };
        for name in Scope::Body.of_terms([&term]).difference(&self.safe) {
            let message = format!("var {} is undeclared", self.locals.original(name));
            self.errors.push(PolicyError::new(ErrorCode::Compile, message, location.clone()));
        }
        let span = term.span.clone();
        Some(captured(self.locals, term, expr.with, &span))
    }

    /// Finds a call that could have several results; a string has one.
    fn refuse_relation(&mut self, terms: &[Term]) -> Option<()> {
        let builtin = terms.first().and_then(builtin_name).and_then(|name| self.builtins.get(&name));
        let Some(relation) = builtin.map(|builtin| builtin.declaration()).filter(|declared| declared.relation) else {
            return Some(());
        };
        let name = &relation.name;
        let message = format!("illegal call to relation built-in '{name}' that may cause multiple outputs");
        self.errors.push(PolicyError::new(ErrorCode::Compile, message, None));
        None
    }
}

impl VisitMut for Rewriter<'_> {
    fn expr(&mut self, expr: &mut Expr) {
        if let ExprKind::Every(every) = &mut expr.kind {
            self.term(&mut every.domain);
            self.closure(|this| {
                this.safe.append(&mut Scope::All.of_terms(every.key.iter().chain([&every.value])));
                this.scope(&mut every.body);
            });
            expr.with.iter_mut().for_each(|with| self.with(with));
        } else {
            self.walk_expr(expr);
        }
    }

    fn term(&mut self, term: &mut Term) {
        match &mut term.kind {
            TermKind::Template(template) => {
                let template = std::mem::replace(&mut **template, Template { parts: Vec::new(), raw: false });
                let parts = Term::new(TermKind::Array(self.template(template, &term.span)), term.span.clone());
                term.kind = TermKind::Call(vec![operator("internal.template_string", &term.span), parts]);
                self.walk_term(term);
            }
            TermKind::ArrayComprehension(parts) | TermKind::SetComprehension(parts) => self.closure(|this| {
                this.scope(&mut parts.body);
                this.term(&mut parts.term);
            }),
            TermKind::ObjectComprehension(parts) => self.closure(|this| {
                this.scope(&mut parts.body);
                this.term(&mut parts.key);
                this.term(&mut parts.value);
            }),
            _ => self.walk_term(term),
        }
    }
}

/// Finds out whether there is any template string.
struct Finder(bool);

impl Finder {
    fn in_body(body: &Body) -> bool {
        let mut finder = Self(false);
        finder.body(body);
        finder.0
    }

    fn in_rule(rule: &Rule) -> bool {
        let mut finder = Self(false);
        rule.head
            .args
            .iter()
            .flatten()
            .chain(&rule.head.key)
            .chain(&rule.head.value)
            .for_each(|term| finder.term(term));
        finder.body(&rule.body);
        finder.0
    }
}

impl Visit for Finder {
    fn term(&mut self, term: &Term) {
        self.0 = self.0 || matches!(term.kind, TermKind::Template(_));
        if !self.0 {
            self.walk_term(term);
        }
    }
}
