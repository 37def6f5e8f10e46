//! What of a former plan still holds.
//!
//! The plan of a rule set follows from its rules as the compiler left them, from where rules lie and what they make (the
//! [`Layout`]), and from the built-in functions. Where all of these are the same, so is the plan. The compiler goes over all
//! modules each time, so whatever another module changes in a rule shows in the rule itself. Only rules of modules that were
//! not parsed again are looked at: for others, comparing would cost more than it saves.

use std::collections::HashMap;
use std::sync::Arc;

use super::expr::deeper;
use super::rule::RuleSet;
use super::{Layout, Plan, SetId, SetInfo};
use crate::compile::{Compiled, RuleId, is_generated};
use crate::syntax::ast::{Body, Expr, ExprKind, Head, Rule, Span, TemplatePart, Term, TermKind, Var, With};

/// A former plan, of the same functions.
pub(crate) struct Former<'a> {
    /// The plan.
    pub(crate) plan: &'a Plan,
    /// What it is a plan of.
    pub(crate) compiled: &'a Compiled,
}

impl Former<'_> {
    /// Whether rules lie at the same places and make the same.
    pub(super) fn is_laid_out_as(&self, layout: &Layout) -> bool {
        let known = &self.plan.layout;
        let same = |a: &SetInfo, b: &SetInfo| (&a.path, a.kind, a.depth) == (&b.path, b.kind, b.depth);
        known.nodes == layout.nodes
            && known.sets.len() == layout.sets.len()
            && known.sets.iter().zip(&layout.sets).all(|(a, b)| same(a, b))
    }

    /// The plan of a set, if its rules are the same. The layout has to be.
    pub(super) fn set(&self, id: SetId, info: &SetInfo, compiled: &Compiled) -> Option<Arc<RuleSet>> {
        let known = &self.plan.layout.sets[id];
        let is_same = |(before, now): (&RuleId, &RuleId)| {
            let (before, now) = (self.compiled.rule(*before), compiled.rule(*now));
            Arc::ptr_eq(&before.span.source, &now.span.source) && Renamed::default().rule(before, now)
        };
        let same = known.rules.len() == info.rules.len() && known.rules.iter().zip(&info.rules).all(is_same);
        same.then(|| Arc::clone(&self.plan.sets[id]))
    }
}

/// Compares what the compiler made of one text at two times. Generated variables are numbered across all modules, so they
/// may have other names; they have to be in the same places.
#[derive(Default)]
struct Renamed<'a> {
    names: HashMap<&'a Var, &'a Var>,
    back: HashMap<&'a Var, &'a Var>,
}

impl<'a> Renamed<'a> {
    fn rule(&mut self, a: &'a Rule, b: &'a Rule) -> bool {
        a.default == b.default
            && same_place(&a.span, &b.span)
            && self.head(&a.head, &b.head)
            && self.body(&a.body, &b.body)
            && match (&a.else_branch, &b.else_branch) {
                (Some(a), Some(b)) => self.rule(a, b),
                (a, b) => a.is_none() && b.is_none(),
            }
    }

    fn head(&mut self, a: &'a Head, b: &'a Head) -> bool {
        let is_function = (a.args.is_some(), b.args.is_some());
        let args = (a.args.as_deref().unwrap_or_default(), b.args.as_deref().unwrap_or_default());
        same_place(&a.span, &b.span)
            && is_function.0 == is_function.1
            && self.terms(&a.reference, &b.reference)
            && self.terms(args.0, args.1)
            && self.optional(a.key.as_ref(), b.key.as_ref())
            && self.optional(a.value.as_ref(), b.value.as_ref())
    }

    fn body(&mut self, a: &'a Body, b: &'a Body) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.expr(a, b))
    }

    fn expr(&mut self, a: &'a Expr, b: &'a Expr) -> bool {
        let flags = |expr: &Expr| (expr.negated, expr.index, expr.generated, expr.with.len());
        let kinds = match (&a.kind, &b.kind) {
            (ExprKind::Term(a), ExprKind::Term(b)) => self.term(a, b),
            (ExprKind::Call(a), ExprKind::Call(b)) | (ExprKind::Some(a), ExprKind::Some(b)) => self.terms(a, b),
            (ExprKind::Every(a), ExprKind::Every(b)) => {
                self.optional(a.key.as_ref(), b.key.as_ref())
                    && self.term(&a.value, &b.value)
                    && self.term(&a.domain, &b.domain)
                    && self.body(&a.body, &b.body)
            }
            _ => false,
        };
        let with = |this: &mut Self, (a, b): (&'a With, &'a With)| {
            this.term(&a.target, &b.target) && this.term(&a.value, &b.value)
        };
        kinds
            && flags(a) == flags(b)
            && same_place(&a.span, &b.span)
            && a.with.iter().zip(&b.with).all(|pair| with(self, pair))
    }

    fn optional(&mut self, a: Option<&'a Term>, b: Option<&'a Term>) -> bool {
        match (a, b) {
            (Some(a), Some(b)) => self.term(a, b),
            (a, b) => a.is_none() && b.is_none(),
        }
    }

    fn terms(&mut self, a: &'a [Term], b: &'a [Term]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.term(a, b))
    }

    fn term(&mut self, a: &'a Term, b: &'a Term) -> bool {
        use TermKind::{
            Array, ArrayComprehension, Call, Object, ObjectComprehension, Ref, Scalar, Set, SetComprehension, Template,
            Var,
        };
        same_place(&a.span, &b.span)
            && match (&a.kind, &b.kind) {
                // Numbers that are equal may be spelt differently.
                (Scalar(a), Scalar(b)) => a == b && a.to_string() == b.to_string(),
                (Var(a), Var(b)) => self.var(a, b),
                (Ref(a), Ref(b)) | (Array(a), Array(b)) | (Set(a), Set(b)) | (Call(a), Call(b)) => {
                    deeper(|| self.terms(a, b))
                }
                (Object(a), Object(b)) => {
                    let mut entries = a.iter().zip(b);
                    a.len() == b.len()
                        && deeper(|| entries.all(|(a, b)| self.term(&a.0, &b.0) && self.term(&a.1, &b.1)))
                }
                (ArrayComprehension(a), ArrayComprehension(b)) | (SetComprehension(a), SetComprehension(b)) => {
                    deeper(|| self.term(&a.term, &b.term) && self.body(&a.body, &b.body))
                }
                (ObjectComprehension(a), ObjectComprehension(b)) => {
                    deeper(|| self.term(&a.key, &b.key) && self.term(&a.value, &b.value) && self.body(&a.body, &b.body))
                }
                (Template(a), Template(b)) => {
                    a.raw == b.raw
                        && a.parts.len() == b.parts.len()
                        && a.parts.iter().zip(&b.parts).all(|(a, b)| match (a, b) {
                            (TemplatePart::Text(a), TemplatePart::Text(b)) => self.term(a, b),
                            (TemplatePart::Expr(a), TemplatePart::Expr(b)) => deeper(|| self.expr(a, b)),
                            _ => false,
                        })
                }
                _ => false,
            }
    }

    fn var(&mut self, a: &'a Var, b: &'a Var) -> bool {
        if !(is_generated(a) && is_generated(b)) {
            return a == b;
        }
        *self.names.entry(a).or_insert(b) == b && *self.back.entry(b).or_insert(a) == a
    }
}

/// Whether both are the same part of a text.
fn same_place(a: &Span, b: &Span) -> bool {
    (a.start, a.end, a.row, a.col) == (b.start, b.end, b.row, b.col)
}
