//! Bodies and their expressions.

use super::call::Output;
use super::optimise::optimise;
use super::scope::Scope;
use super::unify::Goal;
use super::{Block, EveryEntry, Layout, Op, Operand, Slot, Source, Step};
use crate::syntax::ast::{Body, Every, Expr, ExprKind, Span, Term, Var};
use regent_builtins::Builtins;

/// Stack that planning one more level of nesting may need.
const RED_ZONE: usize = 128 << 10;

/// Stack that is added when it runs short.
const GROWTH: usize = 2 << 20;

/// Runs the work on a stack that is large enough.
pub(super) fn deeper<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(RED_ZONE, GROWTH, work)
}

/// Plans one rule or query.
pub(super) struct Planner<'p> {
    pub(super) layout: &'p Layout,
    pub(super) builtins: &'p Builtins,
    pub(super) scope: Scope,
    /// Whether the plan may differ from the text where answers do not.
    pub(super) optimised: bool,
    /// Whether what is planned is the index of a comprehension.
    pub(super) in_index: bool,
    /// How many comprehensions are around.
    pub(super) nesting: usize,
    steps: Vec<Step>,
    expr: usize,
}

impl<'p> Planner<'p> {
    pub(super) fn new(layout: &'p Layout, builtins: &'p Builtins, scope: Scope, optimised: bool) -> Self {
        Self { layout, builtins, scope, optimised, in_index: false, nesting: 0, steps: Vec::new(), expr: 0 }
    }

    /// Makes the outermost block cheaper and gives the number of slots. What is read after it names itself to `results`.
    pub(super) fn finish(self, block: &mut Block, results: impl FnOnce(&mut dyn FnMut(Slot))) -> usize {
        let mut slots = self.scope.len();
        if self.optimised {
            optimise(block, &mut slots, results);
        }
        slots
    }

    /// Adds a step.
    pub(super) fn push(&mut self, op: Op) {
        self.steps.push(Step { op, expr: self.expr });
    }

    /// What `plan` adds, as a block of its own. What it binds stays bound.
    pub(super) fn block<T>(&mut self, exprs: Vec<Span>, plan: impl FnOnce(&mut Self) -> T) -> (Block, T) {
        let (steps, expr) = (std::mem::take(&mut self.steps), std::mem::take(&mut self.expr));
        let result = plan(self);
        let steps = std::mem::replace(&mut self.steps, steps);
        self.expr = expr;
        (Block { steps, exprs }, result)
    }

    /// As [`Planner::block`], but what it binds counts only within.
    pub(super) fn closure<T>(&mut self, exprs: Vec<Span>, plan: impl FnOnce(&mut Self) -> T) -> (Block, T) {
        let mark = self.scope.mark();
        let planned = self.block(exprs, plan);
        self.scope.reset(&mark);
        planned
    }

    /// Adds the expressions of a body.
    pub(super) fn body(&mut self, body: &Body) {
        for (at, expr) in body.iter().enumerate() {
            self.expr = at;
            deeper(|| self.expr(expr));
        }
    }

    fn expr(&mut self, expr: &Expr) {
        if expr.with.is_empty() {
            self.without_with(expr);
        } else {
            self.with(expr);
        }
    }

    /// The expression without its modifiers.
    pub(super) fn without_with(&mut self, expr: &Expr) {
        if expr.negated {
            let (block, ()) = self.closure(vec![expr.span.clone()], |planner| planner.positive(expr));
            self.push(Op::Not(Box::new(block)));
        } else {
            self.positive(expr);
        }
    }

    fn positive(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Term(term) => self.evaluate(term, Goal::Truthy),
            ExprKind::Call(terms) => self.call_expr(terms),
            ExprKind::Some(terms) => self.some(terms),
            ExprKind::Every(every) => self.every(every),
        }
    }

    fn call_expr(&mut self, terms: &[Term]) {
        match (super::call::operator(terms).as_deref(), terms) {
            (Some("eq" | "equal" | "assign"), [_, left, right]) => self.unify(left, right),
            _ => self.call(terms, Output::OfExpression),
        }
    }

    /// `some x in xs`, where it was not rewritten.
    fn some(&mut self, terms: &[Term]) {
        let Some(call) = terms.first().and_then(|term| match &term.kind {
            crate::syntax::ast::TermKind::Call(call) => Some(call),
            _ => None,
        }) else {
            return;
        };
        let (key, value, over) = match &call[..] {
            [_, value, over] => (None, value, over),
            [_, key, value, over] => (Some(key), value, over),
            _ => return self.push(Op::Fail),
        };
        let over = Source::Value(self.operand(over));
        let key = self.optional_pattern(key);
        let value = self.pattern(value);
        self.push(Op::Each { over, key, value });
    }

    fn every(&mut self, every: &Every) {
        let domain = self.operand(&every.domain);
        let exprs = every.body.iter().map(|expr| expr.span.clone()).collect();
        let (block, (key, value)) = self.closure(exprs, |planner| {
            let key = planner.optional_pattern(every.key.as_ref());
            let value = planner.pattern(&every.value);
            planner.body(&every.body);
            (key, value)
        });
        self.push(Op::Every(Box::new(EveryEntry { domain, key, value, block })));
    }

    /// A new slot that has a value.
    pub(super) fn temporary(&mut self) -> Slot {
        self.scope.temporary()
    }

    /// The slot of a variable that should have a value. Safe bodies have no other; if there is one, nothing holds.
    pub(super) fn known(&mut self, name: &Var) -> Operand {
        Operand::Slot(self.scope.bound(name).unwrap_or_else(|| {
            self.push(Op::Fail);
            self.scope.bind(name)
        }))
    }
}

/// The places of a body's expressions.
pub(super) fn spans(body: &Body) -> Vec<Span> {
    body.iter().map(|expr| expr.span.clone()).collect()
}
