//! The order in which OPA tries rules.
//!
//! OPA's search goes through its trie depth first: at each level first past the rules that say nothing of the reference,
//! then those that only need it defined, then those that compare it. So the order does not depend on the values, and each
//! branch can be given a rank beforehand.

use std::cmp::Ordering;

use super::condition::{Condition, Conditions, Slot};

/// The rank of each branch, from what OPA reads off them.
pub(super) fn rank(seen: &Conditions) -> Vec<u32> {
    let mut order: Vec<usize> = (0..seen.branches.len()).collect();
    order.sort_by(|a, b| compare(&seen.branches[*a], &seen.branches[*b]));
    let mut ranks = vec![0; seen.branches.len()];
    for (rank, branch) in (0_u32..).zip(order) {
        ranks[branch] = rank;
    }
    ranks
}

/// Level by level; saying nothing comes first. Conditions that no one value meets are not told apart.
fn compare(a: &[(u32, Condition)], b: &[(u32, Condition)]) -> Ordering {
    for ((level_a, condition_a), (level_b, condition_b)) in a.iter().zip(b) {
        // Who speaks of an earlier level says more there.
        let order = level_b.cmp(level_a).then_with(|| compare_conditions(condition_a, condition_b));
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

fn compare_conditions(a: &Condition, b: &Condition) -> Ordering {
    kind(a).cmp(&kind(b)).then_with(|| items(a).map(is_fixed).cmp(items(b).map(is_fixed)))
}

fn kind(condition: &Condition) -> u8 {
    match condition {
        Condition::Defined | Condition::Contains(_) => 0,
        Condition::Array(_) => 1,
        Condition::Is(_) | Condition::OneOf(_) => 2,
        Condition::Glob { .. } => 3,
    }
}

fn items(condition: &Condition) -> std::slice::Iter<'_, Slot> {
    match condition {
        Condition::Array(slots) | Condition::Glob { parts: slots, .. } => slots.iter(),
        _ => [].iter(),
    }
}

fn is_fixed(slot: &Slot) -> bool {
    matches!(slot, Slot::Is(_))
}
