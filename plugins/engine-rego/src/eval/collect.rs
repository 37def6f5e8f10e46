//! Comprehensions.

use std::collections::BTreeMap;

use regent_core::Value;
use regent_core::engine::ErrorCode;

use super::{Held, Machine, Stop};
use crate::plan::{Collect, CollectItem};

impl<'a> Machine<'a> {
    /// The value of a comprehension.
    pub(super) fn collect(&mut self, collect: &'a Collect, frame: usize) -> Result<Held<'a>, Stop> {
        let mut items = Vec::new();
        let value = match &collect.item {
            CollectItem::Array(item) | CollectItem::Set(item) => {
                self.run(&collect.block, frame, &mut |machine| {
                    items.push(machine.build(item, frame));
                    Ok(())
                })?;
                if matches!(collect.item, CollectItem::Array(_)) { Value::array(items) } else { Value::set(items) }
            }
            CollectItem::Object { key, value, span } => {
                let mut entries = BTreeMap::new();
                self.run(&collect.block, frame, &mut |machine| {
                    let (key, value) = (machine.build(key, frame), machine.build(value, frame));
                    if entries.get(&key).is_some_and(|known| *known != value) {
                        return Err(object_conflict(span));
                    }
                    entries.entry(key).or_insert(value);
                    Ok(())
                })?;
                Value::object(entries)
            }
        };
        Ok(Held::Owned(value))
    }
}

/// Two values for one key.
pub(super) fn object_conflict(span: &crate::syntax::ast::Span) -> Stop {
    Stop::error(ErrorCode::EvalConflict, "object keys must be unique", span.location())
}
