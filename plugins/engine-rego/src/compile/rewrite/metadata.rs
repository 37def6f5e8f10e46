//! Calls of `rego.metadata.chain` and `rego.metadata.rule`, whose values are known from the text.
//!
//! They become a variable that is bound at the start of the rule's body: `__local1__ = {"title": "…"}`.

mod annotations;
mod object;

use regent_core::Value;
use regent_core::value::View;

pub(in crate::compile) use self::annotations::AnnotatedSchemas;
use self::annotations::AnnotationSet;
use crate::compile::build::{calls, equality, expr, extract, renumber};
use crate::compile::{Compiler, Locals, RuleId};
use crate::syntax::ast::{Body, Expr, ExprKind, Rule, Span, Term, TermKind};
use crate::syntax::visit::{Visit, VisitMut, deeper};

const CHAIN: &str = "rego.metadata.chain";
const RULE: &str = "rego.metadata.rule";

/// The stage. Annotations are looked at only if there is such a call, or if they may name schemas.
pub(in crate::compile) fn metadata_calls(compiler: &mut Compiler<'_>) {
    let Compiler { modules, builtins, errors, locals, options, annotated, .. } = compiler;
    let known = [CHAIN, RULE].map(|name| builtins.get(name).is_some());
    let mut called = Calls::default();
    for (_, module) in &*modules {
        called.walk_module(module);
    }
    let is_called = called.first.iter().zip(known).any(|(call, is_known)| call.is_some() && is_known);
    if !is_called && options.schemas.is_none() {
        return;
    }
    let annotations = AnnotationSet::new(modules, errors);
    if options.schemas.is_some() {
        *annotated = annotations.schemas(modules);
    }
    if !is_called {
        return;
    }
    for (module_index, (_, module)) in modules.iter_mut().enumerate() {
        for (rule_index, rule) in module.rules.iter_mut().enumerate() {
            let id = RuleId { module: module_index, rule: rule_index };
            let mut next = Some((rule, Some(id)));
            while let Some((branch, id)) = next {
                let mut called = Calls::default();
                called.rule(branch);
                for (call, is_known) in called.first.iter_mut().zip(known) {
                    call.take_if(|_| !is_known);
                }
                rewrite(branch, &called, &annotations, module_index, id, locals);
                next = branch.else_branch.as_deref_mut().map(|branch| (branch, None));
            }
        }
    }
}

/// Rewrites the calls in one branch of a rule. Only the first branch has annotations of its own, and an `id`.
fn rewrite(
    rule: &mut Rule,
    called: &Calls,
    annotations: &AnnotationSet,
    module: usize,
    id: Option<RuleId>,
    locals: &mut Locals,
) {
    let mut body = Body::new();
    let mut bind = |value: Value, span: &Span, locals: &mut Locals| {
        let mut term = constant(&value, span);
        body.push(extract(locals, &mut term));
        term
    };
    let [chain, own] = &called.first;
    let chain = chain.as_ref().map(|span| bind(annotations.chain(rule, module, id), span, locals));
    let own = own.as_ref().map(|span| bind(annotations.of_rule(id), span, locals));
    if body.is_empty() {
        return;
    }
    let mut replacer = Replacer { values: [(CHAIN, chain), (RULE, own)] };
    let head = &mut rule.head;
    head.args.iter_mut().flatten().chain(&mut head.key).chain(&mut head.value).for_each(|term| replacer.term(term));
    replacer.body(&mut rule.body);
    body.append(&mut rule.body);
    renumber(&mut body);
    rule.body = body;
}

/// A term of a value.
fn constant(value: &Value, span: &Span) -> Term {
    let terms = |values: &mut dyn Iterator<Item = &Value>| values.map(|value| constant(value, span)).collect();
    let kind = deeper(|| match value.view() {
        View::Array(items) => TermKind::Array(terms(&mut items.iter())),
        View::Set(members) => TermKind::Set(terms(&mut members.iter())),
        View::Object(entries) => {
            TermKind::Object(entries.iter().map(|(key, value)| (constant(key, span), constant(value, span))).collect())
        }
        View::Null | View::Bool(_) | View::Number(_) | View::String(_) => TermKind::Scalar(value.clone()),
    });
    Term::new(kind, span.clone())
}

/// Finds the first call of each function.
#[derive(Default)]
struct Calls {
    first: [Option<Span>; 2],
}

impl Visit for Calls {
    fn expr(&mut self, expr: &Expr) {
        for (first, name) in self.first.iter_mut().zip([CHAIN, RULE]) {
            if first.is_none() && calls(expr, name) {
                *first = Some(expr.span.clone());
            }
        }
        self.walk_expr(expr);
    }
}

/// Puts variables in the place of calls.
struct Replacer {
    values: [(&'static str, Option<Term>); 2],
}

impl VisitMut for Replacer {
    fn expr(&mut self, call: &mut Expr) {
        let value = self.values.iter().find(|(name, _)| calls(call, name)).and_then(|(_, value)| value.clone());
        let Some(value) = value else { return self.walk_expr(call) };
        let ExprKind::Call(terms) = &call.kind else { return };
        let span = call.span.clone();
        let replacement = match terms.get(1) {
            Some(result) => equality(result.clone(), value, span),
            None => expr(ExprKind::Term(value), span),
        };
        *call = Expr { generated: true, index: call.index, ..replacement };
    }
}
