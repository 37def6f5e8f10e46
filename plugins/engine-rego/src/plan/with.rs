//! `with` modifiers.

use super::expr::Planner;
use super::reference::constant_path;
use super::{Callee, Op, Replacement, SetKind, WithScope};
use crate::syntax::ast::{Expr, Term, TermKind, With};

impl Planner<'_> {
    /// Adds an expression with its modifiers. Their values belong to the world around.
    pub(super) fn with(&mut self, expr: &Expr) {
        let mut scope =
            WithScope { input: Vec::new(), data: Vec::new(), functions: Vec::new(), block: super::Block::default() };
        for with in &expr.with {
            if self.modifier(with, &mut scope).is_none() {
                return self.push(Op::Fail);
            }
        }
        let (block, ()) = self.block(vec![expr.span.clone()], |planner| planner.without_with(expr));
        scope.block = block;
        self.push(Op::With(Box::new(scope)));
    }

    fn modifier(&mut self, with: &With, scope: &mut WithScope) -> Option<()> {
        if let Some(callee) = self.function(&with.target) {
            let replacement = match self.function(&with.value) {
                Some(Callee::Rules(set)) => Replacement::Rules(set),
                Some(Callee::Builtin(name)) => Replacement::Builtin(self.builtins.get(&name)?.clone()),
                None => Replacement::Value(self.operand(&with.value)),
            };
            scope.functions.push((callee, replacement));
            return Some(());
        }
        let parts = match &with.target.kind {
            TermKind::Ref(parts) => &parts[..],
            _ => std::slice::from_ref(&with.target),
        };
        let (head, keys) = parts.split_first()?;
        let path = constant_path(keys)?;
        let value = self.operand(&with.value);
        match &**head.as_var()? {
            "input" => scope.input.push((path, value)),
            "data" => scope.data.push((path, value)),
            _ => return None,
        }
        Some(())
    }

    /// The function that a term names, if it names one.
    fn function(&self, term: &Term) -> Option<Callee> {
        if let TermKind::Var(name) = &term.kind
            && self.scope.bound(name).is_some()
        {
            return None;
        }
        match self.callee(term)? {
            Callee::Rules(set) => {
                matches!(self.layout.sets[set].kind, SetKind::Function(_)).then_some(Callee::Rules(set))
            }
            Callee::Builtin(name) => self.builtins.get(&name).map(|_| Callee::Builtin(name)),
        }
    }
}
