//! Types: what is known of values before anything is evaluated.
//!
//! Rules are gone through after those that they depend on; what each makes is remembered in a [`TypeEnv`], against which
//! queries are checked, too. Schemas are further known types: one of the input as a whole, and those that annotations
//! name for a rule.

mod annotated;
mod body;
mod details;
mod env;
mod infer;
mod known;
mod refs;
mod rules;
mod schema;
mod text;
mod ty;
mod unify;

use regent_core::engine::{ErrorCode, PolicyError, PolicyErrors};

use self::annotated::SchemaLoader;
use self::body::Checker;
pub(crate) use self::env::TypeEnv;
pub(in crate::compile) use self::known::known_input;
use self::ty::Ty;
use super::originals::Originals;
use super::walk::branches;
use crate::compile::build::expr;
use crate::compile::{Compiled, Compiler, Errors, Options};
use crate::syntax::ast::{Body, Expr, ExprKind, Term};
use regent_builtins::Builtins;

/// The stage that finds operands, equations and references that cannot fit, and notes the types of all rules.
pub(in crate::compile) fn types(compiler: &mut Compiler<'_>) {
    let Compiler { modules, builtins, errors, locals, order, types, options, annotated, .. } = compiler;
    let originals = Originals::new([&locals.originals]);
    let mut found = Vec::new();
    let mut loader = SchemaLoader::new(options);
    for branch in &*order {
        let (_, module) = &modules[branch.rule.module];
        let Some(rule) = branches(&module.rules[branch.rule.rule]).nth(branch.depth) else {
            continue;
        };
        let mut checker = Checker::new(builtins, types, originals.clone());
        found.extend(checker.annotate(rule, annotated.of(branch.rule, branch.depth == 0), &mut loader));
        let (errors, entry) = rules::check(module, rule, checker);
        found.extend(errors);
        if let Some(entry) = entry {
            types.add(entry);
        }
    }
    report(found, errors);
}

/// Adds errors in the order of their places.
fn report(mut found: Vec<PolicyError>, errors: &mut Errors) {
    found.sort_by_cached_key(|error| {
        let place = error.location.clone().unwrap_or_default();
        (place.file, place.row, place.col, error.to_string())
    });
    for error in found {
        errors.push(error);
    }
}

/// Reads the schema of the input.
pub(in crate::compile) fn input_schema(compiler: &mut Compiler<'_>) {
    let Compiler { options, errors, types, .. } = compiler;
    let Some(schema) = options.schemas.as_ref().and_then(|schemas| schemas.input()) else { return };
    match schema::load(schema, &options.network) {
        Ok(ty) => types.input = Some(ty),
        Err(problem) => errors.push(PolicyError::new(ErrorCode::Type, problem, None)),
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
        let wanted = function.wanted(false);
        return PolicyError {
            details: Some(details::operands(&have, &wanted)),
            lines: details::lines_of_operands(&have, &wanted),
            ..PolicyError::new(ErrorCode::Type, format!("{operator}: arity mismatch"), place)
        };
    }
    let plural = if given == 1 { "" } else { "s" };
    let message = format!("function {operator} has arity {arity}, got {given} argument{plural}");
    PolicyError::new(ErrorCode::Type, message, place)
}
