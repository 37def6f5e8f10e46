//! Objects.

mod subset;
mod union;

use std::collections::BTreeSet;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Object, Set, Value, View};

use super::numbers::item_at;
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "object.get(
            object: object[any: any], # object to get `key` from
            key: any, # key to lookup in `object`
            default: any # default to use when lookup fails
        ) => value: any # `object[key]` if present, otherwise `default`",
        "Returns value of an object's key if present, otherwise a default. If the supplied `key` is an `array`, then `object.get` will search through a nested object or array using each key in turn. For example: `object.get({\"a\": [{ \"b\": true }]}, [\"a\", 0, \"b\"], false)` results in `true`.",
        get,
    ),
    function(
        "object.keys(object: object[any: any] # the object\n) => value: set[any] # its keys",
        "The keys of an object.",
        keys,
    ),
    function(
        "object.remove(
            object: object[any: any], # the object
            keys: any<array[any], object[any: any], set[any]> # the keys that go; of an object its own keys
        ) => output: object[any: any] # what is left of it",
        "An object without some keys.",
        remove,
    ),
    function(
        "object.filter(
            object: object[any: any], # the object
            keys: any<array[any], object[any: any], set[any]> # the keys that stay; of an object its own keys
        ) => filtered: object[any: any] # what is left of it",
        "An object with no other keys than these.",
        filter,
    ),
    function(
        "object.union(
            a: object[any: any], # an object
            b: object[any: any] # the object whose values count where both have one
        ) => output: object[any: any] # both in one",
        "Two objects in one, and so are the objects within them that lie under the same key.",
        union::of_two,
    ),
    function(
        "object.union_n(
            objects: array[object[any: any]] # the objects; of those with the same key the last one counts
        ) => output: object[any: any] # all in one",
        "Any number of objects in one, and so are the objects within them that lie under the same key.",
        union::of_all,
    ),
    function(
        "object.subset(
            super: any<array[any], object[any: any], set[any]>, # the collection that may hold the other
            sub: any<array[any], object[any: any], set[any]> # the collection that is looked for
        ) => result: boolean # whether it is in there",
        "Finds a collection in another: members in a set, items side by side in an array, members of a set in an array, \
         and entries in an object, where collections within entries are compared in the same way.",
        subset::subset,
    ),
];

fn get(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (object, key) = (operands.object(0)?, operands.any(1));
    let found = match key.as_array() {
        Some(path) => path.iter().try_fold(operands.any(0), select),
        None => object.get(key),
    };
    Ok(Some(found.unwrap_or(operands.any(2)).clone()))
}

/// What lies directly within a value under a key.
fn select<'a>(value: &'a Value, key: &Value) -> Option<&'a Value> {
    match value.view() {
        View::Array(items) => item_at(items, key),
        View::Object(entries) => entries.get(key),
        View::Set(members) => members.contains(key).then(|| members.iter().find(|member| *member == key)).flatten(),
        _ => None,
    }
}

fn keys(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(operands.object(0)?.iter().map(|(key, _)| key.clone()).collect::<Set>().into()))
}

/// The keys that the second operand names.
fn named(operands: Operands<'_>) -> Result<BTreeSet<&Value>, BuiltinError> {
    match operands.any(1).view() {
        View::Array(items) => Ok(items.iter().collect()),
        View::Set(members) => Ok(members.iter().collect()),
        View::Object(entries) => Ok(entries.iter().map(|(key, _)| key).collect()),
        _ => Err(operands.must_be(1, "one of {object, set, array}")),
    }
}

fn only(object: &Object, stays: impl Fn(&Value) -> bool) -> Outcome {
    let entries = object.iter().filter(|(key, _)| stays(key)).map(|(key, value)| (key.clone(), value.clone()));
    Ok(Some(entries.collect::<Object>().into()))
}

fn remove(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (object, keys) = (operands.object(0)?, named(operands)?);
    only(object, |key| !keys.contains(key))
}

fn filter(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (object, keys) = (operands.object(0)?, named(operands)?);
    only(object, |key| keys.contains(key))
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;

    #[test]
    fn values_are_found_by_key_and_by_path() {
        let object = r#"{"a": {"b": [{"c": 1}]}, "s": {"$set": ["x"]}, "n": null}"#;
        let cases = [
            (r#""n""#, "null"),
            (r#""z""#, "0"),
            ("[]", object),
            (r#"["a", "b", 0, "c"]"#, "1"),
            (r#"["a", "b", 0.0, "c"]"#, "0"),
            (r#"["a", "b", "0"]"#, "0"),
            (r#"["a", "b", -1]"#, "0"),
            (r#"["s", "x"]"#, "\"x\""),
            (r#"["s", "y"]"#, "0"),
            (r#"["n", "x"]"#, "0"),
        ];
        for (key, expected) in cases {
            check(&[("object.get", &format!("[{object}, {key}, 0]"), expected)]);
        }
        check(&[("object.get", "[\"x\", [], 2]", "type error: operand 1 must be object but got string")]);
    }

    #[test]
    fn keys_stay_and_go() {
        let object = r#"{"a": 1, "b": {"c": 3}, "d": 4}"#;
        let with = |keys| format!("[{object}, {keys}]");
        check(&[
            ("object.keys", &format!("[{object}]"), r#"{"$set": ["a", "b", "d"]}"#),
            ("object.remove", &with(r#"["d", "b", "z"]"#), r#"{"a": 1}"#),
            ("object.remove", &with(r#"{"$set": ["a"]}"#), r#"{"b": {"c": 3}, "d": 4}"#),
            ("object.remove", &with(r#"{"b": {"x": 1}, "d": ""}"#), r#"{"a": 1}"#),
            ("object.filter", &with(r#"["a", "a", "z"]"#), r#"{"a": 1}"#),
            ("object.filter", &with(r#"{"b": null}"#), r#"{"b": {"c": 3}}"#),
            ("object.filter", &with("[]"), "{}"),
        ]);
    }

    #[test]
    fn operands_are_objects_and_keys() {
        let keys = "type error: operand 2 must be one of {object, set, array} but got boolean";
        check(&[
            ("object.remove", "[[], true]", "type error: operand 1 must be object but got array"),
            ("object.remove", "[{}, true]", keys),
            ("object.filter", "[{}, true]", keys),
            ("object.keys", "[null]", "type error: operand 1 must be object but got null"),
        ]);
    }
}
