//! Errors about unsafe variables.

use std::collections::BTreeMap;

use regent_core::engine::ErrorCode;

use super::super::originals::Originals;
use super::super::vars::{VarSet, is_generated, shown};
use super::order::UnsafeExpr;
use crate::compile::Errors;
use crate::syntax::ast::{Span, Var};

/// Keywords that old policies have to import; one that is taken for a variable probably was not.
const FUTURE_KEYWORDS: [&str; 4] = ["contains", "every", "if", "in"];

/// Adds an error for each unsafe variable, at its first place. Where all are generated ones, which say nothing to the
/// reader, the expressions are named instead.
pub(super) fn add(found: &[UnsafeExpr], originals: &Originals<'_>, errors: &mut Errors) {
    let mut said = false;
    for (var, span) in first_places(found) {
        let var = originals.of(var);
        if !is_generated(&var) {
            errors.add(ErrorCode::UnsafeVar, span, message(&var));
            said = true;
        }
    }
    if !said {
        expressions(found, errors);
    }
}

fn message(var: &str) -> String {
    if FUTURE_KEYWORDS.contains(&var) {
        format!("var {var} is unsafe (hint: `import future.keywords.{var}` to import a future keyword)")
    } else {
        format!("var {} is unsafe", shown(var))
    }
}

/// Each variable with its first place, in the order of the places.
fn first_places(found: &[UnsafeExpr]) -> Vec<(&Var, &Span)> {
    let mut places: BTreeMap<&Var, &Span> = BTreeMap::new();
    for expr in found {
        for var in &expr.vars {
            let place = places.entry(var).or_insert(&expr.span);
            if position(&expr.span) < position(place) {
                *place = &expr.span;
            }
        }
    }
    let mut places: Vec<_> = places.into_iter().collect();
    places.sort_by(|(_, a), (_, b)| position(a).cmp(&position(b)));
    places
}

fn expressions(found: &[UnsafeExpr], errors: &mut Errors) {
    let mut exprs: Vec<_> = found.iter().collect();
    exprs.sort_by(|a, b| position(&a.span).cmp(&position(&b.span)));
    let mut seen = VarSet::new();
    for expr in exprs {
        let before = seen.len();
        seen.extend(expr.vars.iter().filter(|var| is_generated(var)).cloned());
        if seen.len() > before {
            errors.add(ErrorCode::UnsafeVar, &expr.span, "expression is unsafe");
        }
    }
}

/// What places are compared by.
fn position(span: &Span) -> (&str, u32, u32) {
    (&span.source.name, span.row, span.col)
}
