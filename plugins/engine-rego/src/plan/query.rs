//! Queries.

use std::sync::Arc;

use regent_core::engine::Location;
use regent_core::value::Path;

use super::expr::{Planner, spans};
use super::scope::{Occurrences, Scope};
use super::unify::Goal;
use super::{Block, Operand, Plan, Slot};
use crate::compile::{Capture, CompiledQuery};
use crate::syntax::ast::Span;
use crate::syntax::visit::Visit as _;
use crate::text;
use regent_builtins::Builtins;

/// The plan of a query.
#[derive(Debug)]
pub(crate) struct QueryPlan {
    /// Slots of its frame.
    pub(crate) slots: usize,
    /// What has to hold.
    pub(crate) block: Block,
    /// The variables that an answer shows, sorted by name.
    pub(crate) bindings: Vec<(Arc<str>, Slot)>,
    /// The expressions that an answer shows: value, text and place.
    pub(crate) expressions: Vec<(Operand, Arc<str>, Location)>,
}

/// Plans a query in Rego text.
pub(crate) fn query(query: &CompiledQuery, plan: &Plan, builtins: &Builtins) -> QueryPlan {
    let mut occurrences = Occurrences::default();
    occurrences.body(&query.body);
    let captured = |name: &Arc<str>| query.captures.iter().any(|(_, capture)| *capture == Capture::Var(name.clone()));
    let scope = Scope::new(occurrences.unread(|name| query.shown(name).is_some() || captured(name)));
    let mut planner = Planner::new(&plan.layout, builtins, scope, plan.optimised);
    let (block, ()) = planner.block(spans(&query.body), |planner| planner.body(&query.body));
    let shown = |(name, slot): (&Arc<str>, Slot)| Some((query.shown(name)?.clone(), slot));
    let mut bindings: Vec<_> = planner.scope.bound_names().filter_map(shown).collect();
    bindings.sort();
    let expression = |(span, capture): &(Span, Capture)| {
        let value = match capture {
            Capture::Var(name) => planner.scope.bound(name).map(Operand::Slot),
            Capture::True => None,
        };
        let value = value.unwrap_or_else(|| Operand::Const(true.into()));
        (value, span.text().into(), span.location())
    };
    let expressions = query.captures.iter().map(expression).collect();
    QueryPlan { slots: planner.scope.len(), block, bindings, expressions }
}

/// Plans the query for the document at a path.
pub(crate) fn document(path: &Path, plan: &Plan, builtins: &Builtins) -> QueryPlan {
    let mut planner = Planner::new(&plan.layout, builtins, Scope::default(), plan.optimised);
    let slot = planner.temporary();
    let parts = text::keys(path, &Span::default());
    let (block, ()) = planner.block(vec![Span::default()], |planner| planner.reference(&parts, Goal::Slot(slot)));
    let expressions = vec![(Operand::Slot(slot), path.to_reference().into(), Location::default())];
    QueryPlan { slots: planner.scope.len(), block, bindings: Vec::new(), expressions }
}
