//! Sets: sorted, immutable, shared.

use std::cmp::Ordering;
use std::fmt;

use super::Value;
use super::index::{Index, Wanted};
use super::node::Node;

/// A set of values, sorted. Small and cheap to clone.
#[derive(Clone, Default)]
pub struct Set(pub(super) Node<Index>);

impl Set {
    /// Whether the value is a member.
    pub fn contains(&self, value: &Value) -> bool {
        self.find(value).is_some()
    }

    /// The member that equals the value, in its own spelling.
    pub fn find(&self, value: &Value) -> Option<&Value> {
        let members = self.0.values();
        self.0.header()?.find(members, Wanted::Value(value)).map(|at| &members[at])
    }

    /// The members in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Value> {
        self.0.values().iter()
    }

    /// The member at that place in the order, counted from 0.
    pub fn get(&self, index: usize) -> Option<&Value> {
        self.0.values().get(index)
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.0.values().len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.0.values().is_empty()
    }

    /// The members of either set; of equal ones that of `self`.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.is_empty() {
            return other.clone();
        }
        if other.is_empty() || self.0.is_same(&other.0) {
            return self.clone();
        }
        self.merged(other, |_| true)
    }

    /// The members of `self` that are members of `other`.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.merged(other, Ordering::is_eq)
    }

    /// The members of `self` that are no members of `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.merged(other, Ordering::is_lt)
    }

    /// Walks both sets in order. `keep` is asked for members of `self` only (less), of both (equal), of `other` only
    /// (greater).
    fn merged(&self, other: &Self, keep: impl Fn(Ordering) -> bool) -> Self {
        let (mut ours, mut theirs) = (self.0.values(), other.0.values());
        let mut members = Vec::new();
        loop {
            let (order, member) = match (ours.first(), theirs.first()) {
                (None, None) => return Self::of_sorted(members),
                (Some(our), None) => (Ordering::Less, our),
                (None, Some(their)) => (Ordering::Greater, their),
                (Some(our), Some(their)) => match our.cmp(their) {
                    Ordering::Greater => (Ordering::Greater, their),
                    order => (order, our),
                },
            };
            if keep(order) {
                members.push(member.clone());
            }
            ours = &ours[usize::from(order.is_le())..];
            theirs = &theirs[usize::from(order.is_ge())..];
        }
    }

    fn of_sorted(members: Vec<Value>) -> Self {
        Self(Node::new(Index::default(), members.into_iter()))
    }
}

impl<'a> IntoIterator for &'a Set {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Value> for Set {
    /// Of equal members, such as `1` and `1.0`, the first one stays.
    fn from_iter<I: IntoIterator<Item = Value>>(members: I) -> Self {
        let mut members: Vec<_> = members.into_iter().collect();
        members.sort();
        members.dedup();
        Self::of_sorted(members)
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{decode, encode};
    use super::*;

    fn set(json: &str) -> Set {
        decode(json.as_bytes()).expect("valid JSON").as_array().expect("an array").iter().cloned().collect()
    }

    fn shown(set: Set) -> String {
        encode(&set.into())
    }

    #[test]
    fn sets_keep_the_first_spelling_of_equal_numbers() {
        assert_eq!(shown(set("[1.0, 1, 2, 1e0]")), "[1.0,2]");
    }

    #[test]
    fn sets_are_united_intersected_and_subtracted() {
        let (a, b) = (set("[1.0, 2, \"x\", [3]]"), set("[1, 3, \"x\", {}]"));
        assert_eq!(shown(a.union(&b)), "[1.0,2,3,\"x\",[3],{}]");
        assert_eq!(shown(a.intersection(&b)), "[1.0,\"x\"]");
        assert_eq!(shown(a.difference(&b)), "[2,[3]]");
        assert_eq!((shown(a.difference(&a)), shown(Set::default().union(&b))), ("[]".into(), shown(b)));
    }

    #[test]
    fn members_are_found_in_sets_of_any_size() {
        for size in [0_i64, 8, 9, 17, 500] {
            let set: Set = (0..size).rev().map(Value::from).collect();
            assert!((0..size).all(|n| set.contains(&n.into())) && !set.contains(&size.into()));
            assert_eq!(set.get(3).cloned(), (size > 3).then(|| 3_i64.into()));
        }
    }
}
