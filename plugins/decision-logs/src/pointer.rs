//! Edits a value at a path of keys and indexes. Everything beside the path is shared with the original.
//!
//! Values are seen as JSON shows them: a set is a sorted list, and a key that is no string is its JSON text.

use regent_core::Value;
use regent_core::value::View;
use regent_core::value::{Object, encode};

/// The value without what lies at the path; nothing if nothing lies there.
pub(crate) fn remove(value: &Value, path: &[String]) -> Option<Value> {
    let (first, rest) = path.split_first()?;
    let place = Place::find(value, first)?;
    if rest.is_empty() {
        return Some(place.removed());
    }
    let below = remove(place.occupant(), rest)?;
    Some(place.replaced(below))
}

/// The value with another one at the path. Missing objects on the way are made; indexes must exist. Nothing if the path
/// leads through something that has no parts.
pub(crate) fn upsert(value: &Value, path: &[String], new: &Value) -> Option<Value> {
    let Some((first, rest)) = path.split_first() else { return Some(new.clone()) };
    if let Some(place) = Place::find(value, first) {
        let below = upsert(place.occupant(), rest, new)?;
        return Some(place.replaced(below));
    }
    let below = upsert(&Value::empty_object(), rest, new)?;
    Some(value.as_object()?.with(first.into(), below).into())
}

/// An occupied place in a container.
enum Place<'a> {
    Entry { entries: &'a Object, key: &'a Value, occupant: &'a Value },
    Item { items: Vec<&'a Value>, at: usize },
}

impl<'a> Place<'a> {
    fn find(container: &'a Value, segment: &str) -> Option<Self> {
        let item = |items: Vec<&'a Value>| {
            let at = segment.parse::<usize>().ok().filter(|at| *at < items.len())?;
            Some(Self::Item { items, at })
        };
        match container.view() {
            View::Object(entries) => {
                let (key, occupant) = entries.iter().find(|(key, _)| is_called(key, segment))?;
                Some(Self::Entry { entries, key, occupant })
            }
            View::Array(items) => item(items.iter().collect()),
            View::Set(members) => item(members.iter().collect()),
            _ => None,
        }
    }

    fn occupant(&self) -> &'a Value {
        match self {
            Self::Entry { occupant, .. } => occupant,
            Self::Item { items, at } => items[*at],
        }
    }

    fn removed(self) -> Value {
        match self {
            Self::Entry { entries, key, .. } => entries.without(key).into(),
            Self::Item { mut items, at } => {
                items.remove(at);
                Value::array(items.into_iter().cloned())
            }
        }
    }

    fn replaced(self, new: Value) -> Value {
        match self {
            Self::Entry { entries, key, .. } => entries.with(key.clone(), new).into(),
            Self::Item { items, at } => {
                let mut items: Vec<Value> = items.into_iter().cloned().collect();
                items[at] = new;
                Value::array(items)
            }
        }
    }
}

fn is_called(key: &Value, segment: &str) -> bool {
    key.as_str().map_or_else(|| encode(key) == segment, |text| text == segment)
}

#[cfg(test)]
mod tests {
    use regent_core::value::decode;

    use super::*;

    fn value(json: &str) -> Value {
        decode(json.as_bytes()).expect("valid JSON")
    }

    fn path(text: &str) -> Vec<String> {
        text.split('/').map(str::to_owned).collect()
    }

    #[test]
    fn removes_keys_and_items_and_nothing_that_is_not_there() {
        let document = value(r#"{"a":{"b":[1,{"c":2,"d":3},4]}}"#);
        let table = [
            ("a/b", Some(r#"{"a":{}}"#)),
            ("a/b/0", Some(r#"{"a":{"b":[{"c":2,"d":3},4]}}"#)),
            ("a/b/1/c", Some(r#"{"a":{"b":[1,{"d":3},4]}}"#)),
            ("a/b/3", None),
            ("a/b/-1", None),
            ("a/b/x", None),
            ("a/b/0/x", None),
            ("z", None),
        ];
        for (at, expected) in table {
            assert_eq!(remove(&document, &path(at)), expected.map(value), "{at}");
        }
    }

    #[test]
    fn upserts_replace_and_make_objects_but_no_items() {
        let document = value(r#"{"a":{"b":[1,{"c":2}]},"s":"x"}"#);
        let table = [
            ("s", Some(r#"{"a":{"b":[1,{"c":2}]},"s":null}"#)),
            ("a/b/0", Some(r#"{"a":{"b":[null,{"c":2}]},"s":"x"}"#)),
            ("a/b/1/d", Some(r#"{"a":{"b":[1,{"c":2,"d":null}]},"s":"x"}"#)),
            ("a/n/m", Some(r#"{"a":{"b":[1,{"c":2}],"n":{"m":null}},"s":"x"}"#)),
            ("a/b/2", None),
            ("s/x", None),
        ];
        for (at, expected) in table {
            assert_eq!(upsert(&document, &path(at), &Value::NULL), expected.map(value), "{at}");
        }
    }

    #[test]
    fn sets_are_lists_and_other_keys_are_their_json() {
        let set = Value::set(["x", "y"]);
        assert_eq!(remove(&set, &path("0")), Some(value(r#"["y"]"#)));
        let object: Object = [(Value::from(7_i64), Value::from("seven"))].into_iter().collect();
        assert_eq!(remove(&object.into(), &path("7")), Some(Value::empty_object()));
    }
}
