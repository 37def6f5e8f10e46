//! Calls.

use std::sync::Arc;

use super::expr::Planner;
use super::unify::Goal;
use super::{BuiltinCall, Callee, Op, Pattern, SetKind};
use crate::syntax::ast::{Term, TermKind};

/// What becomes of the result of a call.
#[derive(Clone, Copy)]
pub(super) enum Output<'t> {
    /// The call is an expression: if it has one operand more than the function has parameters, that is the result; else
    /// the result must not be `false`.
    OfExpression,
    /// The call is a term.
    To(Goal<'t>),
}

impl Planner<'_> {
    /// Adds steps for a call.
    pub(super) fn call(&mut self, terms: &[Term], output: Output<'_>) {
        let (Some(callee), Some((_, operands))) = (self.callee(&terms[0]), terms.split_first()) else {
            return self.push(Op::Fail);
        };
        let builtin = match &callee {
            Callee::Builtin(name) => self.builtins.get(name).cloned(),
            Callee::Rules(_) => None,
        };
        let arity = match &callee {
            Callee::Rules(set) => match self.layout.sets[*set].kind {
                SetKind::Function(arity) => arity,
                _ => 0,
            },
            Callee::Builtin(_) => builtin.as_ref().map_or(operands.len(), |builtin| {
                let declaration = builtin.declaration();
                if declaration.variadic.is_some() { operands.len() } else { declaration.parameters.len() }
            }),
        };
        let (operands, last) = operands.split_at(arity.min(operands.len()));
        let args = self.operands(operands);
        let goal = match (output, last) {
            (Output::To(goal), _) => goal,
            (Output::OfExpression, [result, ..]) => Goal::Term(result),
            (Output::OfExpression, []) => Goal::Truthy,
        };
        let into = self.goal(goal);
        match callee {
            Callee::Rules(set) => self.push(Op::Function { set, args, into }),
            Callee::Builtin(name) => {
                let is_void = builtin.as_ref().is_some_and(|builtin| builtin.declaration().result.is_none());
                let into = (!is_void || !matches!(into, Pattern::Truthy)).then_some(into);
                self.push(Op::Builtin(Box::new(BuiltinCall { name, builtin, args, into })));
            }
        }
    }

    /// The function that a term names.
    pub(super) fn callee(&self, operator: &Term) -> Option<Callee> {
        if let Some(parts) = operator.as_ref()
            && parts.first().and_then(Term::as_var).is_some_and(|head| &**head == "data")
        {
            let keys: Option<Vec<&str>> = parts[1..].iter().map(Term::as_text).collect();
            return self.layout.nodes[self.layout.find(keys?)?].set.map(Callee::Rules);
        }
        name_of(operator).map(Callee::Builtin)
    }
}

/// The name of a call's operator, `time.now_ns`.
pub(super) fn operator(terms: &[Term]) -> Option<Arc<str>> {
    terms.first().and_then(name_of)
}

/// The name that a variable or reference spells.
pub(super) fn name_of(term: &Term) -> Option<Arc<str>> {
    match &term.kind {
        TermKind::Var(name) => Some(name.clone()),
        TermKind::Ref(parts) => {
            let (head, keys) = parts.split_first()?;
            let mut name = head.as_var()?.to_string();
            for key in keys {
                name.push('.');
                name.push_str(key.as_text()?);
            }
            Some(name.into())
        }
        _ => None,
    }
}
