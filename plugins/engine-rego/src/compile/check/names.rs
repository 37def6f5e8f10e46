//! Names that must not be used, or not twice.

use std::collections::BTreeMap;

use regent_core::engine::{ErrorCode, RegoVersion};

use super::walk::Walk;
use crate::compile::each::each_module;
use crate::compile::{Compiler, Errors};
use crate::syntax::ast::{Body, Expr, ExprKind, Import, Module, Term};

/// The stage that finds rules, arguments and variables named `data` or `input`.
pub(in crate::compile) fn keyword_overrides(compiler: &mut Compiler<'_>) {
    let Compiler { modules, options, errors, .. } = compiler;
    let strict = options.strict;
    each_module(modules, errors, |module, errors| {
        if strict || module.version == RegoVersion::V1 {
            heads(module, errors);
            let mut visit = |expr: &Expr| variable(expr, errors);
            let mut walk = Walk::exprs(&mut visit);
            super::walk::each_rule(module, |rule| walk.rule(rule));
        }
    });
}

/// The same for a query; only strict mode asks for it.
pub(in crate::compile) fn query_keyword_overrides(body: &Body, errors: &mut Errors) {
    Walk::exprs(&mut |expr| variable(expr, errors)).body(body);
}

fn heads(module: &Module, errors: &mut Errors) {
    for rule in &module.rules {
        if let Some(name) = rule.head.reference.first().and_then(root_name) {
            let message = format!("rules must not shadow {name} (use a different rule name)");
            errors.add(ErrorCode::Compile, &rule.span, message);
        }
        for arg in rule.head.args.iter().flatten() {
            if let Some(name) = arg.as_ref().and(root_name(arg)) {
                let message = format!("args must not shadow {name} (use a different variable name)");
                errors.add(ErrorCode::Compile, &arg.span, message);
            }
        }
    }
}

fn variable(expr: &Expr, errors: &mut Errors) -> bool {
    if let ExprKind::Call(terms) = &expr.kind
        && let [operator, target, ..] = &terms[..]
        && super::functions::builtin_name(operator).is_some_and(|name| name == "assign")
        && let Some(name) = root_name(target)
    {
        let message = format!("variables must not shadow {name} (use a different variable name)");
        errors.add(ErrorCode::Compile, &expr.span, message);
    }
    true
}

/// `data` or `input`, where the term is just that.
fn root_name(term: &Term) -> Option<&str> {
    let name = match term.as_ref() {
        Some([head]) => head.as_var()?,
        Some(_) => return None,
        None => term.as_var()?,
    };
    matches!(&**name, "data" | "input").then_some(name)
}

/// The stage that finds two imports under one name.
pub(in crate::compile) fn duplicate_imports(compiler: &mut Compiler<'_>) {
    let Compiler { modules, options, errors, .. } = compiler;
    for (_, module) in &*modules {
        if !options.strict && module.version != RegoVersion::V1 {
            continue;
        }
        let mut known: BTreeMap<&str, &Import> = BTreeMap::new();
        for import in &module.imports {
            match import_name(import).map(|name| known.entry(name)) {
                Some(std::collections::btree_map::Entry::Occupied(first)) => {
                    let message = format!("import must not shadow {}", first.get());
                    errors.add(ErrorCode::Compile, &import.span, message);
                }
                Some(std::collections::btree_map::Entry::Vacant(free)) => {
                    free.insert(import);
                }
                None => {}
            }
        }
    }
}

/// The name under which something is imported: the alias, else the last part of the path.
fn import_name(import: &Import) -> Option<&str> {
    if let Some(alias) = &import.alias {
        return Some(alias);
    }
    match import.path.as_ref() {
        Some([head]) => head.as_var().map(|name| &**name),
        Some(parts) => parts.last()?.as_text(),
        None => import.path.as_var().map(|name| &**name),
    }
}
