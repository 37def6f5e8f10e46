//! Variables that are declared and then not used.

use regent_core::engine::{ErrorCode, PolicyError};

use super::scopes::{Entry, Occurrence, Scopes};
use crate::compile::check::vars::{Scope as Vars, VarSet};
use crate::compile::declared::is_generated;
use crate::compile::locals::is_wildcard;
use crate::syntax::ast::{Expr, Span, Var};

/// Where the variables of a body were declared.
pub(super) struct Declarations {
    /// The place of its first expression.
    pub(super) start: Span,
    /// The `some` statements with the variables that they declare.
    pub(super) statements: Vec<(VarSet, Span)>,
}

/// The assigned variables of the innermost scope that nothing uses: neither the scope nor `used`, which the text uses
/// beside the body.
pub(super) fn assigned(body: &[Expr], at: &Declarations, scopes: &Scopes, used: &VarSet) -> Vec<PolicyError> {
    let unused = |name: &Var, entry: &Entry| {
        entry.occurrence == Occurrence::Assigned && entry.count <= 1 && !is_wildcard(name) && !used.contains(name)
    };
    let place = |entry: &Entry| {
        let expr = body.iter().find(|expr| Vars::All.of_expr(expr).contains(&entry.name));
        expr.map_or(&at.start, |expr| &expr.span)
    };
    report("assigned", scopes, unused, |_, entry| place(entry))
}

/// The same for variables that `some` or `every` declares.
pub(super) fn declared(body: &[Expr], at: &Declarations, scopes: &Scopes, used: &VarSet) -> Vec<PolicyError> {
    if scopes.innermost().values().all(|entry| entry.occurrence != Occurrence::Declared) {
        return Vec::new();
    }
    let in_body = Vars::All.of_body(body);
    let unused = |name: &Var, entry: &Entry| {
        entry.occurrence == Occurrence::Declared
            && !in_body.contains(&entry.name)
            && !used.contains(name)
            && !is_generated(name)
    };
    let place = |name: &Var| {
        let statement = at.statements.iter().find(|(names, _)| names.contains(name));
        statement.map_or(&at.start, |(_, span)| span)
    };
    report("declared", scopes, unused, |name, _| place(name))
}

/// One error for each variable, in the order of the generated ones.
fn report<'a>(
    how: &str,
    scopes: &'a Scopes,
    unused: impl Fn(&Var, &Entry) -> bool,
    place: impl Fn(&'a Var, &'a Entry) -> &'a Span,
) -> Vec<PolicyError> {
    let mut found: Vec<_> = scopes.innermost().iter().filter(|(name, entry)| unused(name, entry)).collect();
    found.sort_by(|a, b| a.1.name.cmp(&b.1.name));
    let error = |(name, entry)| {
        PolicyError::new(ErrorCode::Compile, format!("{how} var {name} unused"), place(name, entry).location())
    };
    found.into_iter().map(error).collect()
}
