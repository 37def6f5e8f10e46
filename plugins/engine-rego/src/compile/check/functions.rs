//! Calls: of functions that there are, with as many operands as they take.

use regent_core::engine::ErrorCode;

use super::originals::Originals;
use super::types;
use super::walk::{Walk, each_rule};
use crate::compile::each::each_module;
use crate::compile::{Compiled, Compiler, Errors, RuleTree};
use crate::syntax::ast::{Body, Expr, ExprKind, Term, TermKind};
use regent_builtins::Builtins;

/// How many operands functions take.
pub(crate) struct Arities<'a> {
    builtins: &'a Builtins,
    rules: &'a RuleTree,
}

impl<'a> Arities<'a> {
    /// Of the built-in functions and of the rules.
    pub(crate) fn new(builtins: &'a Builtins, rules: &'a RuleTree) -> Self {
        Self { builtins, rules }
    }

    /// Those that a query can call.
    pub(crate) fn for_query(compiled: &'a Compiled, builtins: &'a Builtins) -> Self {
        Self::new(builtins, &compiled.rules)
    }

    /// How many operands the function that the reference names takes; `None` if there is none. A rule that is no
    /// function takes none.
    pub(crate) fn of(&self, operator: &Term) -> Option<usize> {
        if let Some(builtin) = builtin_name(operator).and_then(|name| self.builtins.get(&name)) {
            return Some(builtin.declaration().parameters.len());
        }
        let node = self.rules.at(operator.as_ref()?)?;
        (!node.rules.is_empty()).then_some(node.arity)
    }
}

/// The dotted name that an operator would have as a built-in function.
pub(crate) fn builtin_name(operator: &Term) -> Option<String> {
    let (head, rest) = operator.as_ref()?.split_first()?;
    let mut name = head.as_var()?.to_string();
    for part in rest {
        name.push('.');
        name.push_str(part.as_text()?);
    }
    Some(name)
}

/// The stage that finds calls without result that are used as values, such as that of `print`.
pub(in crate::compile) fn void_calls(compiler: &mut Compiler<'_>) {
    let Compiler { modules, builtins, errors, .. } = compiler;
    each_module(modules, errors, |module, errors| {
        each_rule(module, |rule| rule_void_calls(&mut |walk| walk.rule(rule), builtins, errors));
    });
}

/// The same for a query.
pub(in crate::compile) fn query_void_calls(body: &Body, builtins: &Builtins, errors: &mut Errors) {
    rule_void_calls(&mut |walk| walk.body(body), builtins, errors);
}

fn rule_void_calls(start: &mut dyn FnMut(&mut Walk<'_>), builtins: &Builtins, errors: &mut Errors) {
    start(&mut Walk::terms(&mut |term| {
        if let TermKind::Call(terms) = &term.kind {
            let builtin = terms.first().and_then(builtin_name).and_then(|name| builtins.get(&name));
            if builtin.is_some_and(|builtin| builtin.declaration().result.is_none()) {
                errors.add(ErrorCode::Type, &term.span, format!("{term} used as value"));
            }
        }
        true
    }));
}

/// The stage that finds calls of what is no function and calls with too few or too many operands.
pub(in crate::compile) fn undefined_functions(compiler: &mut Compiler<'_>) {
    let Compiler { modules, builtins, errors, rules, locals, .. } = compiler;
    let arities = Arities::new(builtins, rules);
    let originals = Originals::new([&locals.originals]);
    each_module(modules, errors, |module, errors| {
        each_rule(module, |rule| {
            Walk::exprs(&mut |expr| call(expr, &arities, &originals, errors)).rule(rule);
        });
    });
}

/// The same for a query. `originals` are the variables that generated ones stand for.
pub(in crate::compile) fn query_undefined_functions(
    body: &Body,
    originals: &Originals<'_>,
    compiled: &Compiled,
    builtins: &Builtins,
    errors: &mut Errors,
) {
    let arities = Arities::for_query(compiled, builtins);
    Walk::exprs(&mut |expr| call(expr, &arities, originals, errors)).body(body);
}

/// Checks one expression; `false` if it is wrong, and what is within does not matter any more.
fn call(expr: &Expr, arities: &Arities<'_>, originals: &Originals<'_>, errors: &mut Errors) -> bool {
    let ExprKind::Call(terms) = &expr.kind else {
        return true;
    };
    let Some((operator, operands)) = terms.split_first() else {
        return true;
    };
    let Some(arity) = arities.of(operator) else {
        let message = format!("undefined function {}", originals.restored(operator));
        errors.add(ErrorCode::Type, &expr.span, message);
        return false;
    };
    // Of a generated call, the last operand is where its result goes.
    let given = if expr.generated && !super::outputs::is_equation(expr) {
        (operands.len() != arity + 1).then(|| operands.len().saturating_sub(1))
    } else if expr.generated {
        None
    } else {
        (operands.len() != arity && operands.len() != arity + 1).then_some(operands.len())
    };
    match given {
        Some(given) => {
            errors.push(types::arity_mismatch(
                expr,
                &originals.restored(operator),
                operands,
                arity,
                given,
                arities.builtins,
            ));
            false
        }
        None => true,
    }
}
