//! Functions that must not be called.

use regent_core::engine::{ErrorCode, RegoVersion};

use super::functions::builtin_name;
use super::walk::{Walk, each_rule};
use crate::compile::each::each_module;
use crate::compile::{Compiler, Errors};
use crate::syntax::ast::{Body, Expr, ExprKind};
use regent_builtins::Builtins;

/// The stage that finds calls of functions that the options forbid.
pub(in crate::compile) fn unsafe_builtins(compiler: &mut Compiler<'_>) {
    let Compiler { modules, options, errors, .. } = compiler;
    if options.unsafe_builtins.is_empty() {
        return;
    }
    for (_, module) in &*modules {
        each_rule(module, |rule| Walk::exprs(&mut |expr| forbidden(expr, &options.unsafe_builtins, errors)).rule(rule));
    }
}

/// The same for a query.
pub(in crate::compile) fn query_unsafe_builtins(body: &Body, names: &[String], errors: &mut Errors) {
    if !names.is_empty() {
        Walk::exprs(&mut |expr| forbidden(expr, names, errors)).body(body);
    }
}

fn forbidden(expr: &Expr, names: &[String], errors: &mut Errors) -> bool {
    if let Some(name) = called(expr)
        && names.contains(&name)
    {
        let message = format!("unsafe built-in function calls in expression: {name}");
        errors.add(ErrorCode::Type, &expr.span, message);
    }
    true
}

/// The stage that finds calls of deprecated functions, in strict mode and in new policies.
pub(in crate::compile) fn deprecated_builtins(compiler: &mut Compiler<'_>) {
    let Compiler { modules, builtins, options, errors, .. } = compiler;
    let strict = options.strict;
    each_module(modules, errors, |module, errors| {
        if strict || module.version == RegoVersion::V1 {
            each_rule(module, |rule| Walk::exprs(&mut |expr| deprecated(expr, builtins, errors)).rule(rule));
        }
    });
}

/// The same for a query; only strict mode asks for it.
pub(in crate::compile) fn query_deprecated_builtins(body: &Body, builtins: &Builtins, errors: &mut Errors) {
    Walk::exprs(&mut |expr| deprecated(expr, builtins, errors)).body(body);
}

fn deprecated(expr: &Expr, builtins: &Builtins, errors: &mut Errors) -> bool {
    if let Some(name) = called(expr)
        && builtins.get(&name).is_some_and(|builtin| builtin.declaration().deprecated)
    {
        let message = format!("deprecated built-in function calls in expression: {name}");
        errors.add(ErrorCode::Type, &expr.span, message);
    }
    true
}

/// The name of the built-in function that the expression may call. Calls within terms have become expressions by now.
fn called(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Call(terms) => builtin_name(terms.first()?),
        _ => None,
    }
}
