//! Evaluating a query.

use regent_core::Value;
use regent_core::engine::{Expression, Row};

use super::{Machine, Stop};
use crate::plan::QueryPlan;

impl<'a> Machine<'a> {
    /// The rows of a query's answer.
    pub(crate) fn query(&mut self, query: &'a QueryPlan) -> Result<Vec<Row>, Stop> {
        let mut rows = Vec::new();
        let frame = self.push_frame(query.slots, &[]);
        self.run(&query.block, frame, &mut |machine| {
            let binding =
                |(name, slot): &(_, _)| (std::sync::Arc::clone(name), machine.slot(frame, *slot).clone().into_owned());
            let expression = |(value, text, location): &(_, _, regent_core::engine::Location)| Expression {
                value: machine.build(value, frame),
                text: std::sync::Arc::clone(text),
                location: location.clone(),
            };
            rows.push(Row {
                bindings: query.bindings.iter().map(binding).collect(),
                expressions: query.expressions.iter().map(expression).collect(),
            });
            Ok(())
        })?;
        self.pop_frame(frame);
        Ok(rows)
    }

    /// The value of a query's first expression in its first row.
    pub(crate) fn first_value(&mut self, query: &'a QueryPlan) -> Result<Option<Value>, Stop> {
        let mut found = None;
        let frame = self.push_frame(query.slots, &[]);
        self.run(&query.block, frame, &mut |machine| {
            if found.is_none() {
                found = query.expressions.first().map(|(value, ..)| machine.build(value, frame));
            }
            Ok(())
        })?;
        self.pop_frame(frame);
        Ok(found)
    }
}
