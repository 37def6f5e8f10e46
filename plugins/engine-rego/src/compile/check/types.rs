//! Types: what is known of values before anything is evaluated.
//!
//! Rules are gone through after those that they depend on; what each makes is remembered in a [`TypeEnv`], against which
//! queries are checked, too. Schemas of the input and of data would become further known types there: of `input`, and
//! of what annotations name.

mod body;
mod details;
mod env;
mod infer;
mod refs;
mod rules;
mod ty;
mod unify;

use regent_core::engine::{ErrorCode, PolicyError, PolicyErrors};

use self::body::Checker;
pub(crate) use self::env::TypeEnv;
use self::ty::Ty;
use super::originals::Originals;
use super::walk::branches;
use crate::builtins::Builtins;
use crate::compile::build::expr;
use crate::compile::{Compiled, Compiler, Errors, Options};
use crate::syntax::ast::{Body, Expr, ExprKind, Term};

/// The stage that finds operands, equations and references that cannot fit, and notes the types of all rules.
pub(in crate::compile) fn types(compiler: &mut Compiler<'_>) {
    let Compiler { modules, builtins, errors, locals, order, types, .. } = compiler;
    let originals = Originals::new([&locals.originals]);
    let mut found = Vec::new();
    for branch in &*order {
        let (_, module) = &modules[branch.rule.module];
        let Some(rule) = branches(&module.rules[branch.rule.rule]).nth(branch.depth) else {
            continue;
        };
        let (errors, entry) = rules::check(module, rule, Checker::new(builtins, types, originals.clone()));
        found.extend(errors);
        if let Some(entry) = entry {
            types.add(entry);
        }
    }
    found.sort_by_cached_key(|error| {
        let place = error.location.clone().unwrap_or_default();
        (place.file, place.row, place.col, error.to_string())
    });
    for error in found {
        errors.push(error);
    }
}

/// Checks a query. `originals` are the variables that generated ones stand for.
pub(in crate::compile) fn query_types(
    query: &Body,
    originals: &Originals<'_>,
    compiled: &Compiled,
    builtins: &Builtins,
    errors: &mut Errors,
) {
    for error in Checker::new(builtins, &compiled.types, originals.clone()).body(query) {
        errors.push(error);
    }
}

/// Checks a reference to a document below `data`.
///
/// # Errors
/// What is wrong with its keys.
pub(crate) fn check_document(
    reference: Term,
    compiled: &Compiled,
    builtins: &Builtins,
    options: &Options,
) -> Result<(), PolicyErrors> {
    let span = reference.span.clone();
    let query = vec![expr(ExprKind::Term(reference), span)];
    let mut errors = Errors::new(options.max_errors);
    query_types(&query, &Originals::new([&compiled.locals.originals]), compiled, builtins, &mut errors);
    errors.result()
}

/// The error about a call with too few or too many operands.
pub(super) fn arity_mismatch(
    expr: &Expr,
    operator: &Term,
    operands: &[Term],
    arity: usize,
    given: usize,
    builtins: &Builtins,
) -> PolicyError {
    let place = expr.span.location();
    if let Some(builtin) = super::functions::builtin_name(operator).and_then(|name| builtins.get(&name)) {
        let function = ty::Function::of_builtin(builtin.declaration());
        let nothing_known = TypeEnv::default();
        let mut checker = Checker::new(builtins, &nothing_known, Originals::default());
        let have: Vec<Ty> = operands.iter().map(|operand| checker.type_of(operand)).collect();
        let details = details::operands(&have, &function.wanted(false));
        return PolicyError {
            details: Some(details),
            ..PolicyError::new(ErrorCode::Type, format!("{operator}: arity mismatch"), place)
        };
    }
    let plural = if given == 1 { "" } else { "s" };
    let message = format!("function {operator} has arity {arity}, got {given} argument{plural}");
    PolicyError::new(ErrorCode::Type, message, place)
}
