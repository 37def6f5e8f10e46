//! What the values of one document share: the keys of similar objects, repeated strings, small arrays and small objects.
//!
//! All tables are bounded, so that a document without repetitions costs no more than a constant. A small document, such
//! as the input of a decision, has no tables at all: it is gone before what it shares could pay.

use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::super::object::Shape;
use super::super::{Node, Object, Repr, Value};

/// Bytes from which a document has tables.
const LARGE: usize = 4096;

/// Most keys that are sorted in place.
const FEW: usize = 16;

/// Most shapes of one document that are remembered.
const SHAPES: usize = 4096;

/// Most keys of a shape that is remembered.
const KEYS: usize = 64;

/// Most strings, arrays and objects of each that are remembered; each has one place, where the next one may displace it.
const PLACES: usize = 4096;

/// Bytes of the document for each place, so that small documents do with few.
const BYTES: usize = 32;

/// Most bytes of a string that is remembered.
const TEXT: usize = 64;

/// Most items of an array or object that is remembered.
const ITEMS: usize = 8;

/// What was met in a document so far, if it is large.
pub(super) struct Shared(Option<Tables>);

struct Tables {
    seed: RandomState,
    places: usize,
    shapes: HashTable<Known>,
    texts: Vec<Value>,
    arrays: Vec<Value>,
    objects: Vec<Value>,
}

/// Keys as a document spells them, and the shape that they have.
struct Known {
    keys: Box<[Value]>,
    arrangement: Arrangement,
}

#[derive(Clone)]
struct Arrangement {
    shape: Shape,
    /// For each key of the shape, where its value is among those read; nothing if they were read in order.
    order: Option<Arc<[usize]>>,
}

impl Shared {
    /// For a document of so many bytes.
    pub(super) fn new(length: usize) -> Self {
        Self((length >= LARGE).then(|| Tables::new(length)))
    }

    /// The string.
    pub(super) fn text(&mut self, text: &str) -> Value {
        match &mut self.0 {
            Some(tables) if text.len() <= TEXT && text.len() > super::super::text::SHORT => tables.text(text),
            _ => Value::from(text),
        }
    }

    /// The array of the items, which are taken.
    pub(super) fn array(&mut self, items: &mut [Value]) -> Value {
        match &mut self.0 {
            Some(tables) if items.len() <= ITEMS && items.iter().all(is_plain) => tables.array(items),
            _ => array(items),
        }
    }

    /// The object of the keys and values, which are taken.
    pub(super) fn object(&mut self, keys: &mut [Value], values: &mut [Value]) -> Object {
        if self.0.is_none() && keys.len() <= FEW && sort(keys, values) {
            return Object::of_shape(shape(keys), values.iter_mut().map(std::mem::take));
        }
        let Arrangement { shape, order } = match &mut self.0 {
            Some(tables) if keys.len() <= KEYS => tables.arrangement(keys),
            _ => Arrangement::of(keys),
        };
        let object = match order {
            None => Object::of_shape(shape, values.iter_mut().map(std::mem::take)),
            Some(order) => Object::of_shape(shape, order.iter().map(|&at| std::mem::take(&mut values[at]))),
        };
        match &mut self.0 {
            Some(tables) if object.len() <= ITEMS && object.values().all(is_plain) => tables.object(object),
            _ => object,
        }
    }
}

impl Tables {
    fn new(length: usize) -> Self {
        Self {
            seed: RandomState::default(),
            places: (length / BYTES).clamp(1, PLACES),
            shapes: HashTable::new(),
            texts: Vec::new(),
            arrays: Vec::new(),
            objects: Vec::new(),
        }
    }

    fn text(&mut self, text: &str) -> Value {
        let place = place(&mut self.texts, self.places, self.seed.hash_one(text));
        if place.as_str() != Some(text) {
            *place = Value::from(text);
        }
        place.clone()
    }

    fn array(&mut self, items: &mut [Value]) -> Value {
        let place = place(&mut self.arrays, self.places, self.seed.hash_one(&*items));
        if place.as_array() != Some(items) {
            *place = array(items);
        }
        place.clone()
    }

    fn object(&mut self, object: Object) -> Object {
        let place = place(&mut self.objects, self.places, self.seed.hash_one(object.values().as_slice()));
        match place.as_object() {
            Some(known) if known.has_shape_of(&object) && known.values().eq(object.values()) => known.clone(),
            _ => {
                *place = object.clone().into();
                object
            }
        }
    }

    fn arrangement(&mut self, keys: &mut [Value]) -> Arrangement {
        let hash = self.seed.hash_one(&*keys);
        if let Some(known) = self.shapes.find(hash, |known| *known.keys == *keys) {
            return known.arrangement.clone();
        }
        let spelled: Box<[Value]> = keys.into();
        let arrangement = Arrangement::of(keys);
        if self.shapes.len() < SHAPES {
            let known = Known { keys: spelled, arrangement: arrangement.clone() };
            let seed = &self.seed;
            self.shapes.insert_unique(hash, known, |known| seed.hash_one(&*known.keys));
        }
        arrangement
    }
}

impl Arrangement {
    /// The arrangement of the keys, which are taken. Of equal keys the last one's value counts.
    fn of(keys: &mut [Value]) -> Self {
        if keys.windows(2).all(|pair| pair[0] < pair[1]) {
            return Self { shape: shape(keys), order: None };
        }
        let mut order: Vec<usize> = (0..keys.len()).collect();
        // The sort is stable, so of equal keys the last one is the first of these.
        order.reverse();
        order.sort_by(|&a, &b| keys[a].cmp(&keys[b]));
        order.dedup_by(|later, earlier| keys[*later] == keys[*earlier]);
        let shape = Shape::new(order.iter().map(|&at| std::mem::take(&mut keys[at])));
        Self { shape, order: Some(order.into()) }
    }
}

/// The shape of keys that are sorted and differ; they are taken.
fn shape(keys: &mut [Value]) -> Shape {
    Shape::new(keys.iter_mut().map(std::mem::take))
}

fn array(items: &mut [Value]) -> Value {
    Value(Repr::Array(Node::new((), items.iter_mut().map(std::mem::take))))
}

/// Sorts keys, which are few, and values with them; equal ones stay in their order. Whether no two keys are equal.
fn sort(keys: &mut [Value], values: &mut [Value]) -> bool {
    let mut differ = true;
    for next in 1..keys.len() {
        for at in (1..=next).rev() {
            match keys[at - 1].cmp(&keys[at]) {
                Ordering::Less => break,
                // Each key comes to stand beside its equal, if it has one, and is compared with it then.
                Ordering::Equal => {
                    differ = false;
                    break;
                }
                Ordering::Greater => {
                    keys.swap(at - 1, at);
                    values.swap(at - 1, at);
                }
            }
        }
    }
    differ
}

/// The place for what has that hash, of so many.
fn place(places: &mut Vec<Value>, count: usize, hash: u64) -> &mut Value {
    if places.is_empty() {
        places.resize(count, Value::NULL);
    }
    let index = hash % u64::try_from(count).unwrap_or(u64::MAX);
    &mut places[usize::try_from(index).expect("is less than the number of places")]
}

/// Whether equal values are spelled alike and nothing lies within.
fn is_plain(value: &Value) -> bool {
    matches!(value.0, Repr::Null | Repr::Bool(_) | Repr::Int(_) | Repr::Short(_) | Repr::Long(_))
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    /// The document, small and large: with white space behind it that nobody would read for its own sake.
    fn both(json: &str) -> [Value; 2] {
        [json.to_owned(), format!("{json}{}", " ".repeat(LARGE))]
            .map(|json| decode(json.as_bytes()).expect("valid JSON"))
    }

    #[test]
    fn similar_objects_share_their_keys_however_ordered() {
        let [small, large] = both(r#"[{"b":1,"a":2},{"b":3,"a":4},{"a":5,"b":6},{"b":0,"a":7,"b":8}]"#);
        let objects: Vec<_> = large.as_array().expect("an array").iter().filter_map(Value::as_object).collect();
        assert!(objects[0].has_shape_of(objects[1]));
        for value in [small, large] {
            assert_eq!(value.to_string(), r#"[{"a":2,"b":1},{"a":4,"b":3},{"a":5,"b":6},{"a":7,"b":8}]"#);
        }
    }

    #[test]
    fn keys_of_small_documents_are_sorted_however_many() {
        for count in [0, 1, 2, FEW, FEW + 1, 3 * FEW] {
            let key = |n: usize| format!("k{:03}", n * 7 % count);
            let entries: Vec<_> = (0..count).map(|n| format!(r#""{}":{n}"#, key(n))).collect();
            let mut sorted: Vec<_> = (0..count).map(|n| (key(n), n)).collect();
            sorted.sort();
            let value = decode(format!("{{{}}}", entries.join(",")).as_bytes()).expect("valid JSON");
            let found = value.as_object().expect("an object").iter();
            let found: Vec<_> =
                found.map(|(key, value)| (key.as_str().expect("a text").to_owned(), value.clone())).collect();
            let expected: Vec<_> = sorted.into_iter().map(|(key, n)| (key, Value::from(n as u64))).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn repeated_arrays_are_one_but_keep_the_spelling_of_their_numbers() {
        let [small, large] = both(r#"[["x",1],["x",1],["x",1.0],["x",1e0]]"#);
        let item = |index: usize| large.as_array().expect("an array")[index].as_array().expect("an array").as_ptr();
        assert_eq!(item(0), item(1));
        for value in [small, large] {
            assert_eq!(value.to_string(), r#"[["x",1],["x",1],["x",1.0],["x",1e0]]"#);
        }
    }

    #[test]
    fn repeated_objects_are_one_but_keep_the_spelling_of_their_numbers() {
        let [small, large] =
            both(r#"[{"a":"x","b":1},{"a":"x","b":1},{"c":"x","d":1},{"a":"x","b":1.0},{"a":"x","b":[]}]"#);
        let object = |index: usize| {
            let object = large.as_array().expect("an array")[index].as_object().expect("an object");
            object.values().as_slice().as_ptr()
        };
        assert_eq!(object(0), object(1));
        for value in [small, large] {
            let shown = r#"[{"a":"x","b":1},{"a":"x","b":1},{"c":"x","d":1},{"a":"x","b":1.0},{"a":"x","b":[]}]"#;
            assert_eq!(value.to_string(), shown);
        }
    }

    #[test]
    fn more_repetitions_than_are_remembered_do_no_harm() {
        let objects: Vec<String> = (0..3 * SHAPES)
            .map(|n| format!(r#"{{"key number {n} of all":["a rather long string {n}",{n}]}}"#))
            .collect();
        let json = format!("[{}]", objects.join(","));
        assert_eq!(decode(json.as_bytes()).expect("valid JSON").to_string(), json);
    }
}
