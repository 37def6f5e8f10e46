//! The document that partial rules put together.

use std::collections::BTreeMap;

use regent_core::Value;

/// A document in the making.
pub(super) enum Document {
    /// An object.
    Entries(BTreeMap<Value, Document>),
    /// A set.
    Members(Vec<Value>),
    /// A value that one rule gave.
    Value(Value),
}

/// Rules do not agree on what lies at a path.
pub(super) struct Conflict;

impl Document {
    /// An empty set or object.
    pub(super) fn empty(is_set: bool) -> Self {
        if is_set { Self::Members(Vec::new()) } else { Self::Entries(BTreeMap::new()) }
    }

    /// Puts a value at a path.
    pub(super) fn put(&mut self, path: Vec<Value>, value: Value) -> Result<(), Conflict> {
        let mut path = path.into_iter();
        let Some(first) = path.next() else { return Err(Conflict) };
        let (parent, key) = self.parent(first, path)?;
        match parent.get(&key) {
            None => drop(parent.insert(key, Self::Value(value))),
            Some(known) if !known.is(&value) => return Err(Conflict),
            Some(_) => {}
        }
        Ok(())
    }

    /// Puts a member into the set at a path.
    pub(super) fn add(&mut self, path: Vec<Value>, member: Value) -> Result<(), Conflict> {
        let mut path = path.into_iter();
        let set = match path.next() {
            None => self,
            Some(first) => {
                let (parent, key) = self.parent(first, path)?;
                parent.entry(key).or_insert_with(|| Self::empty(true))
            }
        };
        match set {
            Self::Members(members) => members.push(member),
            _ => return Err(Conflict),
        }
        Ok(())
    }

    /// The object that the last key of a path belongs to.
    fn parent(
        &mut self,
        first: Value,
        rest: impl Iterator<Item = Value>,
    ) -> Result<(&mut BTreeMap<Value, Document>, Value), Conflict> {
        let (mut at, mut key) = (self, first);
        for next in rest {
            let Self::Entries(entries) = at else { return Err(Conflict) };
            at = entries.entry(key).or_insert_with(|| Self::empty(false));
            key = next;
        }
        match at {
            Self::Entries(entries) => Ok((entries, key)),
            _ => Err(Conflict),
        }
    }

    fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Value(known), value) => known == value,
            (Self::Members(members), value) => Value::set(members.iter().cloned()) == *value,
            (Self::Entries(entries), value) => value.as_object().is_some_and(|other| {
                entries.len() == other.len()
                    && entries.iter().all(|(key, known)| other.get(key).is_some_and(|value| known.is(value)))
            }),
        }
    }

    /// The finished document.
    pub(super) fn finish(self) -> Value {
        match self {
            Self::Entries(entries) => Value::object(entries.into_iter().map(|(key, below)| (key, below.finish()))),
            Self::Members(members) => Value::set(members),
            Self::Value(value) => value,
        }
    }
}
