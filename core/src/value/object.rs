//! Objects and sets: sorted, immutable, shared.

use std::cmp::Ordering;
use std::sync::Arc;

use super::Value;

/// A map from values to values, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object(Arc<[(Value, Value)]>);

impl Object {
    /// What is stored under the key.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.position(key).ok().map(|at| &self.0[at].1)
    }

    /// What is stored under the string key. No copy of the key is made.
    pub fn get_str(&self, key: &str) -> Option<&Value> {
        self.0
            .binary_search_by(|(known, _)| match known {
                Value::String(text) => (**text).cmp(key),
                other => other.rank().cmp(&3),
            })
            .ok()
            .map(|at| &self.0[at].1)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Value, &Value)> + DoubleEndedIterator {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// A copy with one entry set. The values are shared.
    #[must_use]
    pub fn with(&self, key: Value, value: Value) -> Self {
        let (Ok(at) | Err(at)) = self.position(&key);
        let after = at + usize::from(self.0.get(at).is_some_and(|(known, _)| *known == key));
        let before = self.0[..at].iter().cloned();
        Self(before.chain([(key, value)]).chain(self.0[after..].iter().cloned()).collect())
    }

    /// A copy without one entry. The values are shared.
    #[must_use]
    pub fn without(&self, key: &Value) -> Self {
        match self.position(key) {
            Ok(at) => Self(self.0[..at].iter().chain(&self.0[at + 1..]).cloned().collect()),
            Err(_) => self.clone(),
        }
    }

    fn position(&self, key: &Value) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(key))
    }
}

impl FromIterator<(Value, Value)> for Object {
    /// Of equal keys the last one wins.
    fn from_iter<I: IntoIterator<Item = (Value, Value)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        if entries.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            entries.reverse();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.dedup_by(|later, earlier| later.0 == earlier.0);
        }
        Self(entries.into())
    }
}

impl Ord for Object {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Object {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A set of values, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Set(Arc<[Value]>);

impl Set {
    /// Whether the value is a member.
    pub fn contains(&self, value: &Value) -> bool {
        self.0.binary_search(value).is_ok()
    }

    /// The members in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Value> {
        self.0.iter()
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
        Self(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{decode, encode};
    use super::*;

    #[test]
    fn of_equal_keys_the_last_wins() {
        let object = Value::object([("b", 1_i64), ("a", 2), ("b", 3)]);
        assert_eq!(encode(&object), r#"{"a":2,"b":3}"#);
    }

    #[test]
    fn sets_keep_the_first_spelling_of_equal_numbers() {
        let members = decode(b"[1.0, 1, 2, 1e0]").expect("valid JSON");
        let set: Set = members.as_array().expect("an array").iter().cloned().collect();
        assert_eq!(encode(&Value::Set(set)), "[1.0,2]");
    }

    #[test]
    fn entries_are_set_and_removed_by_copy() {
        let object = Value::object([("a", 1_i64), ("c", 3)]);
        let object = object.as_object().expect("an object");
        assert_eq!(encode(&object.with("b".into(), 2_i64.into()).into()), r#"{"a":1,"b":2,"c":3}"#);
        assert_eq!(encode(&object.with("c".into(), 4_i64.into()).into()), r#"{"a":1,"c":4}"#);
        assert_eq!(encode(&object.without(&"a".into()).into()), r#"{"c":3}"#);
        assert_eq!(object.get_str("c"), Some(&3_i64.into()));
        assert_eq!(object.get_str("d"), None);
    }
}
