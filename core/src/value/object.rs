//! Objects: sorted, immutable, shared, and sharing their keys with objects alike.

use std::fmt;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use triomphe::ThinArc;

use super::index::{Index, Wanted};
use super::node::Node;
use super::{Value, encode};

/// A map from values to values, sorted by key. Small and cheap to clone.
#[derive(Clone, Default)]
pub struct Object(pub(super) Node<Shape>);

/// Where a key was found among the keys of an object. It may be shared by threads; what it says is checked before it
/// counts.
#[derive(Debug, Default)]
pub struct KeyHint(AtomicU32);

/// A hint changes so often and then no more: where objects differ all the time, threads would only fight for it.
const CHANGES: u32 = 64;

impl KeyHint {
    #[inline]
    fn place(&self) -> usize {
        (self.0.load(Relaxed) >> 8) as usize
    }

    #[cold]
    fn set(&self, place: usize) {
        let changes = self.0.load(Relaxed) & 0xff;
        if let Ok(place) = u32::try_from(place)
            && place < 1 << 24
            && changes < CHANGES
        {
            self.0.store(place << 8 | (changes + 1), Relaxed);
        }
    }
}

/// The keys of an object, sorted and without duplicates. Clones share them.
#[derive(Clone)]
pub(super) struct Shape(ThinArc<Index, Value>);

impl Shape {
    /// The shape of keys that are sorted and differ.
    pub(super) fn new(keys: impl ExactSizeIterator<Item = Value>) -> Self {
        Self(ThinArc::from_header_and_iter(Index::default(), keys))
    }

    #[inline]
    fn keys(&self) -> &[Value] {
        &self.0.slice
    }

    fn find(&self, key: Wanted<'_>) -> Option<usize> {
        self.0.header.header.find(&self.0.slice, key)
    }
}

impl Object {
    /// The object of that shape. There are as many values as keys and in their order.
    pub(super) fn of_shape(shape: Shape, values: impl ExactSizeIterator<Item = Value>) -> Self {
        debug_assert_eq!(shape.keys().len(), values.len());
        Self(Node::new(shape, values))
    }

    /// What is stored under the key.
    #[inline]
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.find(Wanted::Value(key))
    }

    /// What is stored under the string key. No copy of the key is made.
    pub fn get_str(&self, key: &str) -> Option<&Value> {
        self.find(Wanted::Text(key))
    }

    /// As [`Object::get`], for whoever asks many objects of the same keys for the same key: it is looked for first where
    /// it was found the last time.
    #[inline]
    pub fn get_near(&self, key: &Value, hint: &KeyHint) -> Option<&Value> {
        let near = hint.place();
        match (self.0.header()?.keys().get(near), self.0.values().get(near)) {
            (Some(known), found @ Some(_)) if known == key => found,
            _ => self.get_far(key, hint),
        }
    }

    #[cold]
    fn get_far(&self, key: &Value, hint: &KeyHint) -> Option<&Value> {
        let found = self.0.header()?.find(Wanted::Value(key))?;
        hint.set(found);
        Some(&self.0.values()[found])
    }

    fn find(&self, key: Wanted<'_>) -> Option<&Value> {
        let shape = self.0.header()?;
        Some(&self.0.values()[shape.find(key)?])
    }

    /// Number of entries.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.values().len()
    }

    /// Whether there is no entry.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.values().is_empty()
    }

    /// The entries in the order of their keys.
    #[inline]
    pub fn iter(&self) -> Entries<'_> {
        self.keys().zip(self.values())
    }

    /// The keys in order.
    #[inline]
    pub fn keys(&self) -> std::slice::Iter<'_, Value> {
        self.0.header().map_or(&[][..], Shape::keys).iter()
    }

    /// The values in the order of their keys.
    #[inline]
    pub fn values(&self) -> std::slice::Iter<'_, Value> {
        self.0.values().iter()
    }

    /// The entry at that place in the order of keys, counted from 0.
    pub fn entry(&self, index: usize) -> Option<(&Value, &Value)> {
        Some((self.0.header()?.keys().get(index)?, self.0.values().get(index)?))
    }

    /// A copy with one entry set. The values are shared, and the keys too if the key was there; it keeps its spelling.
    #[must_use]
    pub fn with(&self, key: Value, value: Value) -> Self {
        let (before, shape) = match (self.position(&key), self.0.header()) {
            (Ok(at), Some(shape)) => {
                let mut values = self.0.values().to_vec();
                values[at] = value;
                return Self::of_shape(shape.clone(), values.into_iter());
            }
            (Ok(at) | Err(at), _) => {
                let mut keys = Vec::with_capacity(self.len() + 1);
                keys.extend_from_slice(&self.keys().as_slice()[..at]);
                keys.push(key);
                keys.extend_from_slice(&self.keys().as_slice()[at..]);
                (at, Shape::new(keys.into_iter()))
            }
        };
        let mut values = Vec::with_capacity(self.len() + 1);
        values.extend_from_slice(&self.0.values()[..before]);
        values.push(value);
        values.extend_from_slice(&self.0.values()[before..]);
        Self::of_shape(shape, values.into_iter())
    }

    /// A copy without one entry. The values are shared.
    #[must_use]
    pub fn without(&self, key: &Value) -> Self {
        let Ok(at) = self.position(key) else {
            return self.clone();
        };
        let others = |values: &[Value]| [&values[..at], &values[at + 1..]].concat();
        Self::of_shape(Shape::new(others(self.keys().as_slice()).into_iter()), others(self.0.values()).into_iter())
    }

    /// Whether both objects share their keys. Such objects have equal keys; others may have them too.
    pub(super) fn has_shape_of(&self, other: &Self) -> bool {
        match (self.0.header(), other.0.header()) {
            (Some(a), Some(b)) => std::ptr::eq(a.keys(), b.keys()),
            (None, None) => true,
            _ => false,
        }
    }

    fn position(&self, key: &Value) -> Result<usize, usize> {
        self.keys().as_slice().binary_search_by(|known| Wanted::Value(key).order_of(known))
    }
}

/// The entries of an [`Object`] in the order of their keys.
pub type Entries<'a> = std::iter::Zip<std::slice::Iter<'a, Value>, std::slice::Iter<'a, Value>>;

impl<'a> IntoIterator for &'a Object {
    type Item = (&'a Value, &'a Value);
    type IntoIter = Entries<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<(Value, Value)> for Object {
    /// Of equal keys the last one's value wins, under the first one's spelling.
    fn from_iter<I: IntoIterator<Item = (Value, Value)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        if entries.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    earlier.1 = std::mem::take(&mut later.1);
                }
                same
            });
        }
        let (keys, values): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        Self::of_shape(Shape::new(keys.into_iter()), values.into_iter())
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl fmt::Display for Object {
    /// The object as compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(&self.clone().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode;
    use super::*;

    #[test]
    fn of_equal_keys_the_last_wins() {
        let object = Value::object([("b", 1_i64), ("a", 2), ("b", 3)]);
        assert_eq!(encode(&object), r#"{"a":2,"b":3}"#);
    }

    #[test]
    fn entries_are_set_and_removed_by_copy() {
        let object = Value::object([("a", 1_i64), ("c", 3)]);
        let object = object.as_object().expect("an object");
        assert_eq!(object.with("b".into(), 2_i64.into()).to_string(), r#"{"a":1,"b":2,"c":3}"#);
        assert_eq!(object.with("c".into(), 4_i64.into()).to_string(), r#"{"a":1,"c":4}"#);
        assert_eq!(object.without(&"a".into()).to_string(), r#"{"c":3}"#);
        assert_eq!(object.without(&"a".into()).without(&"c".into()), Object::default());
        assert_eq!(object.entry(1), Some((&"c".into(), &3_i64.into())));
        assert_eq!(object.entry(2), None);
    }

    #[test]
    fn keys_are_found_in_objects_of_any_size() {
        for size in [0_i64, 1, 8, 9, 16, 17, 1000] {
            let key = |n: i64| if n % 2 == 0 { Value::from(n) } else { format!("the key of number {n}").into() };
            let object: Object = (0..size).map(|n| (key(n), n.into())).collect();
            for n in 0..size {
                assert_eq!(object.get(&key(n)), Some(&n.into()), "{n} of {size}");
                assert_eq!(
                    key(n).as_str().and_then(|key| object.get_str(key)),
                    (n % 2 == 1).then(|| n.into()).as_ref()
                );
            }
            assert_eq!((object.get(&key(size)), object.get_str("the key")), (None, None));
        }
    }

    #[test]
    fn keys_are_shared_where_only_values_change() {
        let object: Object = [("a", 1_i64), ("b", 2)].into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        assert!(object.has_shape_of(&object.with("a".into(), 7_i64.into())));
        assert!(!object.has_shape_of(&object.with("c".into(), 7_i64.into())));
    }
}
