//! Checks bodies, expression by expression: what is learnt of variables in one counts in the next.

use std::collections::HashMap;

use regent_core::engine::{ErrorCode, PolicyError};

use super::annotated::Roots;
use super::details;
use super::env::TypeEnv;
use super::ty::{Function, Ty};
use super::unify::unifies;
use crate::compile::check::originals::Originals;
use crate::compile::check::outputs::is_equation;
use crate::compile::check::vars::deeper;
use crate::syntax::ast::{Body, Expr, ExprKind, Term, TermKind, Var, With};
use crate::syntax::visit::Visit;
use regent_builtins::Builtins;

/// Checks one body with all in it.
pub(super) struct Checker<'a> {
    pub(super) builtins: &'a Builtins,
    pub(super) env: &'a TypeEnv,
    pub(super) originals: Originals<'a>,
    pub(super) vars: Vars,
    /// What annotations say of the root documents.
    pub(super) roots: Roots,
    /// The types of comprehensions that were checked, by where they are.
    pub(super) closures: HashMap<*const TermKind, Ty>,
}

/// The types of variables, one layer for each closure that the check is in.
#[derive(Debug)]
pub(super) struct Vars(Vec<HashMap<Var, Ty>>);

impl Vars {
    /// The type of the variable; `None` if it was not met yet.
    pub(super) fn get(&self, name: &Var) -> Option<Ty> {
        self.0.iter().rev().find_map(|layer| layer.get(name)).cloned()
    }

    /// Notes the type of a variable.
    pub(super) fn put(&mut self, name: &Var, ty: Ty) {
        if let Some(layer) = self.0.last_mut() {
            layer.insert(name.clone(), ty);
        }
    }
}

/// An error, and whether it may be there only because a type is unknown, for which there is another error.
pub(super) struct Finding {
    error: PolicyError,
    is_vague: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn new(builtins: &'a Builtins, env: &'a TypeEnv, originals: Originals<'a>) -> Self {
        Self {
            builtins,
            env,
            originals,
            vars: Vars(vec![HashMap::new()]),
            roots: Roots::default(),
            closures: HashMap::new(),
        }
    }

    /// Checks a body.
    pub(super) fn body(&mut self, body: &Body) -> Vec<PolicyError> {
        let mut errors = Vec::new();
        for expr in body {
            let mut within = self.closures_of(expr);
            within.extend(self.references_of(expr));
            let finding = self.expr(expr);
            // The better message, about what is within, is enough.
            let finding = finding.filter(|finding| within.is_empty() || !finding.is_vague);
            errors.extend(within);
            errors.extend(finding.map(|finding| finding.error));
        }
        errors
    }

    /// Checks the comprehensions in an expression; the errors of the last wrong one.
    fn closures_of(&mut self, expr: &Expr) -> Vec<PolicyError> {
        let mut closures = Closures { checker: self, errors: Vec::new() };
        Visit::expr(&mut closures, expr);
        closures.errors
    }

    /// Checks the body of a comprehension, and gives its type and its errors. `None` for other terms.
    pub(super) fn check_comprehension(&mut self, kind: &TermKind) -> Option<(Ty, Vec<PolicyError>)> {
        let body = match kind {
            TermKind::ArrayComprehension(parts) | TermKind::SetComprehension(parts) => &parts.body,
            TermKind::ObjectComprehension(parts) => &parts.body,
            _ => return None,
        };
        self.vars.0.push(HashMap::new());
        let errors = self.body(body);
        let ty = if errors.is_empty() { self.type_of_results(kind) } else { Ty::Unknown };
        self.vars.0.pop();
        self.closures.insert(std::ptr::from_ref(kind), ty.clone());
        Some((ty, errors))
    }

    fn expr(&mut self, expr: &Expr) -> Option<Finding> {
        let found = expr.with.iter().find_map(|with| self.with(with));
        if found.is_some() {
            return found;
        }
        match &expr.kind {
            ExprKind::Call(terms) if is_equation(expr) => self.equation(expr, terms),
            ExprKind::Call(terms) => self.call(expr, terms),
            _ => None,
        }
    }

    /// Checks that a function is replaced by one with such parameters, if by a function.
    fn with(&mut self, with: &With) -> Option<Finding> {
        let Ty::Function(target) = self.type_of(&with.target) else {
            return None;
        };
        let Ty::Function(value) = self.type_of(&with.value) else {
            return None;
        };
        if unifies(&Ty::Function(target.clone()), &Ty::Function(value.clone())) {
            return None;
        }
        let have: Vec<Ty> = value.parameters.iter().map(|parameter| parameter.ty.clone()).collect();
        let message = format!("{}: arity mismatch", with.target);
        let mut error = PolicyError::new(ErrorCode::Type, message, with.span.location());
        let wanted = target.wanted(false);
        error.details = Some(details::operands(&have, &wanted));
        error.lines = details::lines_of_operands(&have, &wanted);
        Some(Finding { error, is_vague: have.iter().any(Ty::is_unknown) })
    }

    fn equation(&mut self, expr: &Expr, terms: &[Term]) -> Option<Finding> {
        let [_, left, right] = terms else {
            let operands = terms.get(1..).unwrap_or_default();
            let what = if operands.len() < 2 { "too few arguments" } else { "too many arguments" };
            let wanted = self.builtins.get("eq").map(|eq| Function::of_builtin(eq.declaration()))?;
            return Some(self.misfit(expr, terms.first()?, operands, what, &wanted));
        };
        let (left_type, right_type) = (self.type_of(left), self.type_of(right));
        if self.unify_terms(left, &left_type, right, &right_type) {
            return None;
        }
        let mut error = PolicyError::new(ErrorCode::Type, "match error", expr.span.location());
        error.details = Some(details::equation(&left_type, &right_type));
        error.lines = details::lines_of_equation(&left_type, &right_type);
        Some(Finding { error, is_vague: left_type.is_unknown() || right_type.is_unknown() })
    }

    fn call(&mut self, expr: &Expr, terms: &[Term]) -> Option<Finding> {
        let (operator, operands) = terms.split_first()?;
        let function = match self.type_of(operator) {
            // A function with errors, which are told elsewhere.
            Ty::Any(_) => return None,
            Ty::Function(function) => function,
            _ => {
                let message = format!("undefined function {operator}");
                let error = PolicyError::new(ErrorCode::Type, message, expr.span.location());
                return Some(Finding { error, is_vague: false });
            }
        };
        let wanted = function.wanted(true);
        if operands.len() > wanted.operands.len() && wanted.variadic.is_none() {
            return Some(self.misfit(expr, operator, operands, "too many arguments", &function));
        }
        if operands.len() < function.parameters.len() {
            return Some(self.misfit(expr, operator, operands, "too few arguments", &function));
        }
        for (place, operand) in operands.iter().enumerate() {
            let want = wanted.operands.get(place).map(|named| &named.ty).or(wanted.variadic.as_ref());
            if !want.is_some_and(|want| self.unify(operand, want, false)) {
                return Some(self.misfit(expr, operator, operands, "invalid argument(s)", &function));
            }
        }
        None
    }

    fn misfit(&mut self, expr: &Expr, operator: &Term, operands: &[Term], what: &str, want: &Function) -> Finding {
        let have: Vec<Ty> = operands.iter().map(|operand| self.type_of(operand)).collect();
        let message = format!("{operator}: {what}");
        let mut error = PolicyError::new(ErrorCode::Type, message, expr.span.location());
        let wanted = want.wanted(true);
        error.details = Some(details::operands(&have, &wanted));
        error.lines = details::lines_of_operands(&have, &wanted);
        Finding { error, is_vague: have.iter().any(Ty::is_unknown) }
    }
}

/// Finds the comprehensions in an expression, those in `every` included, and checks them.
struct Closures<'c, 'a> {
    checker: &'c mut Checker<'a>,
    errors: Vec<PolicyError>,
}

impl Visit for Closures<'_, '_> {
    fn term(&mut self, term: &Term) {
        let errors = match &term.kind {
            TermKind::Scalar(_) | TermKind::Var(_) => return,
            kind => match deeper(|| self.checker.check_comprehension(kind)) {
                Some((_, errors)) => errors,
                None => return deeper(|| self.walk_term(term)),
            },
        };
        if !errors.is_empty() {
            self.errors = errors;
        }
    }
}
