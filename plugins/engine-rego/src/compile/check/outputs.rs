//! What expressions bind.

use super::functions::Arities;
use super::unify::{is_ref_safe, unify};
use super::vars::{Bound, Scope, VarSet, deeper};
use crate::syntax::ast::{Expr, ExprKind, Term, TermKind};

/// The variables that a body binds, in this order of its expressions, when those in `safe` are bound before.
pub(crate) fn of_body(body: &[Expr], arities: &Arities<'_>, safe: &VarSet) -> VarSet {
    let mut known = safe.clone();
    for expr in body {
        let outputs = of_expr(expr, arities, &known);
        known.extend(outputs);
    }
    known.retain(|var| !safe.contains(var));
    known
}

/// The variables that an expression binds when those in `safe` are bound before. Some that are bound already may be
/// among them.
pub(crate) fn of_expr(expr: &Expr, arities: &Arities<'_>, safe: &VarSet) -> VarSet {
    let bound = Bound::new(safe, VarSet::new());
    if expr.negated || expr.with.iter().any(|with| !bound.contains_all(&Scope::Body.of_with(with))) {
        return VarSet::new();
    }
    match &expr.kind {
        ExprKind::Term(_) => of_refs(expr, &bound),
        ExprKind::Some(_) => VarSet::new(),
        ExprKind::Every(every) => {
            let mut refs = Refs { safe: &bound, outputs: VarSet::new() };
            refs.term(&every.domain);
            refs.outputs
        }
        ExprKind::Call(terms) if is_equation(expr) => of_equation(expr, terms, safe),
        ExprKind::Call(terms) => match terms.first().and_then(|operator| arities.of(operator)) {
            Some(arity) => of_call(expr, terms, arity, safe),
            None => VarSet::new(),
        },
    }
}

/// Whether the expression is `a = b`.
pub(crate) fn is_equation(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call(terms) if terms.first().is_some_and(is_eq))
}

fn is_eq(operator: &Term) -> bool {
    operator.as_ref().is_some_and(|parts| parts.len() == 1 && parts[0].as_var().is_some_and(|name| &**name == "eq"))
}

fn of_equation(expr: &Expr, terms: &[Term], safe: &VarSet) -> VarSet {
    let [_, left, right] = terms else {
        return VarSet::new();
    };
    let bound = Bound::new(safe, of_refs(expr, &Bound::new(safe, VarSet::new())));
    let mut outputs = unify(&bound, left, right);
    outputs.extend(bound.into_more());
    outputs
}

fn of_call(expr: &Expr, terms: &[Term], arity: usize, safe: &VarSet) -> VarSet {
    let bound = Bound::new(safe, of_refs(expr, &Bound::new(safe, VarSet::new())));
    if arity + 1 < terms.len() {
        let (inputs, results) = terms.split_at(arity + 1);
        if !bound.contains_all(&Scope::Operands.of_terms(inputs)) {
            return VarSet::new();
        }
        let mut outputs = bound.into_more();
        outputs.append(&mut Scope::Operands.of_terms(results));
        return outputs;
    }
    bound.into_more()
}

/// The variables in the keys of references whose head is bound.
fn of_refs(expr: &Expr, safe: &Bound<'_>) -> VarSet {
    let mut refs = Refs { safe, outputs: VarSet::new() };
    match &expr.kind {
        ExprKind::Term(term) => refs.term(term),
        ExprKind::Call(terms) | ExprKind::Some(terms) => refs.terms(terms),
        ExprKind::Every(every) => refs.term(&every.domain),
    }
    for with in &expr.with {
        refs.terms([&with.target, &with.value]);
    }
    refs.outputs
}

struct Refs<'a> {
    safe: &'a Bound<'a>,
    outputs: VarSet,
}

impl Refs<'_> {
    fn terms<'t>(&mut self, terms: impl IntoIterator<Item = &'t Term>) {
        for term in terms {
            self.term(term);
        }
    }

    fn term(&mut self, term: &Term) {
        match &term.kind {
            TermKind::Ref(parts) => {
                if is_ref_safe(parts, self.safe) {
                    let keys = parts.get(1..).unwrap_or_default();
                    self.outputs.append(&mut Scope::Keys.of_terms(keys));
                    deeper(|| self.terms(parts));
                }
            }
            TermKind::Array(terms) | TermKind::Set(terms) | TermKind::Call(terms) => deeper(|| self.terms(terms)),
            TermKind::Object(entries) => {
                deeper(|| self.terms(entries.iter().flat_map(|(key, value)| [key, value])));
            }
            TermKind::Scalar(_)
            | TermKind::Var(_)
            | TermKind::ArrayComprehension(_)
            | TermKind::SetComprehension(_)
            | TermKind::ObjectComprehension(_)
            | TermKind::Template(_) => {}
        }
    }
}
