//! Which branches are known to give the same answer.

use std::collections::BTreeMap;

use regent_core::Value;

use super::Entry;
use super::constant::{constant, is_path};
use crate::syntax::ast::Head;

/// The constant that a branch answers with, by number; nothing if it answers with more than one value or with one that is
/// not constant.
pub(super) type Answer = Option<u32>;

/// The answer of each branch.
pub(super) fn answers(entries: &[Entry<'_>]) -> Vec<Answer> {
    let mut numbers = BTreeMap::new();
    let mut answer = |head: &Head| {
        let value = answered(head)?;
        let next = u32::try_from(numbers.len()).ok()?;
        Some(*numbers.entry(value).or_insert(next))
    };
    entries.iter().map(|entry| answer(&entry.rule.head)).collect()
}

fn answered(head: &Head) -> Option<Value> {
    if head.key.is_some() || !is_path(&head.reference) {
        return None;
    }
    head.value.as_ref().map_or(Some(Value::from(true)), constant)
}
