//! Safety: that every variable gets a value before one is needed, in some order of the expressions.
//!
//! Bodies are put into the first such order, and closures after their surroundings: what a closure uses of them is
//! known by then.

mod order;
mod report;

use regent_core::engine::ErrorCode;

use self::order::Safety;
use super::functions::Arities;
use super::originals::Originals;
use super::vars::{self, Scope, VarSet, is_generated, shown};
use super::walk::{each_branch_mut, each_rule};
use crate::compile::each::each_module;
use crate::compile::{Compiled, Compiler, Errors};
use crate::syntax::ast::{Body, Rule, TermKind};
use regent_builtins::Builtins;

/// The variables that are bound everywhere.
pub(crate) fn reserved() -> VarSet {
    ["data".into(), "input".into()].into()
}

/// The stage that finds variables of rule heads that the body does not mention.
pub(in crate::compile) fn safety_of_heads(compiler: &mut Compiler<'_>) {
    let Compiler { modules, errors, locals, .. } = compiler;
    let originals = Originals::new([&locals.originals]);
    each_module(modules, errors, |module, errors| each_rule(module, |rule| head(rule, &originals, errors)));
}

fn head(rule: &Rule, originals: &Originals<'_>, errors: &mut Errors) {
    let head = &rule.head;
    let mut terms = head.args.iter().flatten().chain(&head.key).chain(&head.value).chain(head.reference.iter().skip(1));
    if terms.all(|term| matches!(term.kind, TermKind::Scalar(_))) {
        return;
    }
    let mut bound = Scope::Body.of_body(&rule.body);
    bound.append(&mut Scope::All.of_terms(head.args.iter().flatten()));
    for var in vars::of_head(head).difference(&bound) {
        let var = originals.of(var);
        if !is_generated(&var) {
            errors.add(ErrorCode::UnsafeVar, &rule.span, format!("var {} is unsafe", shown(&var)));
        }
    }
}

/// The stage that puts bodies into a safe order or finds what has no value.
pub(in crate::compile) fn safety_of_bodies(compiler: &mut Compiler<'_>) {
    let Compiler { modules, builtins, errors, rules, locals, .. } = compiler;
    let arities = Arities::new(builtins, rules);
    let originals = Originals::new([&locals.originals]);
    each_module(modules, errors, |module, errors| {
        for rule in &mut module.rules {
            each_branch_mut(rule, |rule| {
                if errors.is_full() {
                    return;
                }
                let mut globals = reserved();
                globals.append(&mut Scope::All.of_terms(rule.head.args.iter().flatten()));
                body(&mut rule.body, globals, &arities, &originals, errors);
            });
        }
    });
}

/// The same for a query. `originals` are the variables that generated ones stand for.
pub(in crate::compile) fn query_safety(
    query: &mut Body,
    originals: &Originals<'_>,
    compiled: &Compiled,
    builtins: &Builtins,
    errors: &mut Errors,
) {
    body(query, reserved(), &Arities::for_query(compiled, builtins), originals, errors);
}

fn body(body: &mut Body, globals: VarSet, arities: &Arities<'_>, originals: &Originals<'_>, errors: &mut Errors) {
    let mut safety = Safety::new(arities, globals);
    let unsafe_vars = safety.order(body);
    report::add(&unsafe_vars, originals, errors);
}
