//! Shared slices of values, which arrays, objects and sets are made of.

use triomphe::{Arc, ThinArc};

use super::{Repr, Value};

/// Values behind one pointer, with a header. Without values there is neither an allocation nor a header.
///
/// Dropping the last reference takes the nested values apart in a loop: nesting of any depth needs no deep stack. Only
/// values within the header, which are the keys of objects, are dropped by recursion.
pub(super) struct Node<H>(Option<ThinArc<H, Value>>);

impl<H> Node<H> {
    pub(super) fn new(header: H, values: impl ExactSizeIterator<Item = Value>) -> Self {
        Self((values.len() > 0).then(|| ThinArc::from_header_and_iter(header, values)))
    }

    /// The header, unless there are no values.
    #[inline]
    pub(super) fn header(&self) -> Option<&H> {
        self.0.as_ref().map(|shared| &shared.header.header)
    }

    #[inline]
    pub(super) fn values(&self) -> &[Value] {
        self.0.as_ref().map_or(&[], |shared| &shared.slice)
    }

    /// Whether both are the same allocation or both are empty.
    #[inline]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => std::ptr::eq(&raw const a.slice, &raw const b.slice),
            (None, None) => true,
            _ => false,
        }
    }

    /// Moves the nested values to `pending`, if nobody else holds this node.
    fn take_nested(&mut self, pending: &mut Vec<Value>) {
        let Some(shared) = &mut self.0 else { return };
        shared.with_arc_mut(|shared| {
            if let Some(alone) = Arc::get_mut(shared) {
                pending.extend(alone.slice_mut().iter_mut().filter(|value| value.is_nested()).map(std::mem::take));
            }
        });
    }

    fn is_alone(&self) -> bool {
        self.0.as_ref().is_some_and(|shared| ThinArc::strong_count(shared) == 1)
    }
}

impl<H> Drop for Node<H> {
    fn drop(&mut self) {
        if !self.is_alone() || !self.values().iter().any(Value::is_nested) {
            return;
        }
        let mut pending = Vec::new();
        self.take_nested(&mut pending);
        while let Some(mut value) = pending.pop() {
            match &mut value.0 {
                Repr::Array(items) => items.take_nested(&mut pending),
                Repr::Object(entries) => entries.0.take_nested(&mut pending),
                Repr::Set(members) => members.0.take_nested(&mut pending),
                _ => {}
            }
        }
    }
}

impl<H> Clone for Node<H> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<H> Default for Node<H> {
    fn default() -> Self {
        Self(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Object, decode};
    use super::*;

    /// Deeper than anything that is read or made, and on the smallest stack that a thread here has.
    #[test]
    fn deep_values_are_compared_encoded_and_dropped_on_a_small_stack() {
        fn deep() -> Value {
            (0..100_000).fold(Value::from(1_i64), |below, depth| match depth % 3 {
                0 => Value::array([below]),
                1 => Value::set([below]),
                _ => Value::object([("key", below)]),
            })
        }
        let test = || {
            let (one, other) = (deep(), deep());
            assert!(one == other && one.cmp(&other).is_eq());
            assert_eq!(super::super::encode(&one).len(), super::super::encode(&other).len());
            let _ = std::collections::HashSet::from([one]).contains(&other);
        };
        let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(test).expect("a thread");
        thread.join().expect("no overflow");
    }

    #[test]
    fn what_others_hold_stays_whole() {
        let inner = decode(br#"{"a":[1,[2]]}"#).expect("valid JSON");
        let outer = Value::array([inner.clone(), inner.clone()]);
        drop(outer);
        assert_eq!(inner.to_string(), r#"{"a":[1,[2]]}"#);
        let object: Object = [(inner.clone(), inner.clone())].into_iter().collect();
        drop(inner);
        assert_eq!(
            object.get(&decode(br#"{"a":[1,[2]]}"#).expect("valid JSON")).map(ToString::to_string).as_deref(),
            Some(r#"{"a":[1,[2]]}"#)
        );
    }
}
