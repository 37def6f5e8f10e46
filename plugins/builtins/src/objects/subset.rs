//! Collections within collections.

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::engine::Cancel;
use regent_core::value::{Object, Set, Value, View};

use super::super::bounds;

pub(super) fn subset(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (outer, inner) = (operands.any(0), operands.any(1));
    let found = match (outer.view(), inner.view()) {
        (View::Array(outer), View::Set(inner)) => Some(in_array(outer, inner)),
        _ => within(outer, inner, call.cancel)?,
    };
    let mismatch = "both arguments object.subset must be of the same type or array and set";
    found.map(|found| Some(found.into())).ok_or_else(|| BuiltinError::Operand(mismatch.to_owned()))
}

/// Whether a collection is in another of its type; nothing if they are of different types.
fn within(outer: &Value, inner: &Value, cancel: &Cancel) -> Result<Option<bool>, BuiltinError> {
    match (outer.view(), inner.view()) {
        (View::Object(outer), View::Object(inner)) => entries_within(outer, inner, cancel).map(Some),
        (View::Set(outer), View::Set(inner)) => Ok(Some(inner.iter().all(|member| outer.contains(member)))),
        (View::Array(outer), View::Array(inner)) => side_by_side(outer, inner, cancel).map(Some),
        _ => Ok(None),
    }
}

fn entries_within(outer: &Object, inner: &Object, cancel: &Cancel) -> Result<bool, BuiltinError> {
    for (key, wanted) in inner {
        let found = match outer.get(key) {
            Some(value) => value == wanted || bounds::below(cancel, || within(value, wanted, cancel))?.unwrap_or(false),
            None => false,
        };
        if !found {
            return Ok(false);
        }
    }
    Ok(true)
}

fn side_by_side(outer: &[Value], inner: &[Value], cancel: &Cancel) -> Result<bool, BuiltinError> {
    if inner.is_empty() {
        return Ok(true);
    }
    for window in outer.windows(inner.len()) {
        if cancel.is_cancelled() {
            return Err(BuiltinError::Cancelled);
        }
        if window == inner {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether members are among the items, in any order. As in OPA, an item that occurs twice counts twice, and nothing is in
/// an empty array.
fn in_array(outer: &[Value], inner: &Set) -> bool {
    !outer.is_empty() && outer.iter().filter(|item| inner.contains(item)).count() >= inner.len()
}

#[cfg(test)]
mod tests {
    use super::super::super::cases::check;

    #[test]
    fn collections_are_found_in_collections() {
        let cases = [
            (
                r#"{"a": 5, "b": {"x": [6, 7, 8], "y": {"$set": [1, 2]}}}, {"b": {"x": [7, 8], "y": {"$set": [2]}}}"#,
                true,
            ),
            (r#"{"a": 5, "b": 7}, {"b": 10}"#, false),
            (r#"{"a": 5}, {"b": 5}"#, false),
            (r#"{"a": [1, 2]}, {"a": {"$set": [1]}}"#, false),
            (r#"{"$set": [1, {"$set": [2, 3]}]}, {"$set": [{"$set": [2]}]}"#, false),
            (r#"{"$set": [1, 2]}, {"$set": [1]}"#, true),
            ("[1, 2, 1, 2, 3], [1, 2, 3]", true),
            ("[1, 2, 3], [1, 3]", false),
            ("[1], []", true),
            ("[1], [1, 2]", false),
            (r#"[3, 1, 2], {"$set": [2, 3]}"#, true),
            (r#"[1, 2], {"$set": [3]}"#, false),
        ];
        for (operands, expected) in cases {
            check(&[("object.subset", &format!("[{operands}]"), &expected.to_string())]);
        }
    }

    #[test]
    fn other_pairs_of_types_are_errors() {
        let mismatch = "type error: both arguments object.subset must be of the same type or array and set";
        check(&[("object.subset", r#"[{"$set": []}, []]"#, mismatch), ("object.subset", "[1, 1]", mismatch)]);
    }
}
