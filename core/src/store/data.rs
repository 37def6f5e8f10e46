//! Changes to base data by copy: what is not on the path is shared with the old document.

use super::StoreError;
use crate::value::{Object, Path, Value, View};

/// One operation of a patch.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// What to do.
    pub op: PatchOp,
    /// Where, from the root of base data.
    pub path: Path,
}

/// What a patch operation does.
#[derive(Debug, Clone, PartialEq)]
pub enum PatchOp {
    /// Sets a key, inserts before an array index, or appends at `-`. The parent must exist.
    Add(Value),
    /// Removes what is there.
    Remove,
    /// Replaces what is there.
    Replace(Value),
}

const INDEX_OUT_OF_RANGE: &str = "array index out of range";
const INDEX_NOT_INTEGER: &str = "array index must be integer";

/// Applies one operation to the whole document.
pub(super) fn apply(root: &Value, patch: Patch) -> Result<Value, StoreError> {
    let Patch { op, path } = patch;
    if path.is_empty() {
        return match op {
            PatchOp::Add(value) | PatchOp::Replace(value) if value.is_object() => Ok(value),
            PatchOp::Remove => Err(StoreError::InvalidPatch("/: invalid patch path".to_owned())),
            _ => Err(StoreError::InvalidPatch("root must be object".to_owned())),
        };
    }
    if path.segments().last().is_some_and(|last| &**last == "-")
        && !matches!(op, PatchOp::Add(_))
        && root.at(&path.segments()[..path.len() - 1]).is_some_and(Value::is_array)
    {
        return Err(StoreError::InvalidPatch(format!("{path}: invalid patch path")));
    }
    step(root, &path, 0, op)
}

/// Rebuilds the value that lies `depth` keys down the path.
fn step(value: &Value, path: &Path, depth: usize, op: PatchOp) -> Result<Value, StoreError> {
    let segment = &*path.segments()[depth];
    let last = depth + 1 == path.len();
    match value.view() {
        View::Object(entries) => step_object(entries, path, depth, op),
        View::Array(items) if last && segment == "-" && matches!(op, PatchOp::Add(_)) => {
            let PatchOp::Add(new) = op else {
                return Err(StoreError::missing(path));
            };
            Ok(items.iter().cloned().chain([new]).collect())
        }
        View::Array(items) => {
            let at = array_index(segment, items.len(), last && matches!(op, PatchOp::Add(_)))
                .map_err(|reason| StoreError::NotFound { path: path.clone(), reason })?;
            let mut changed = items.to_vec();
            match op {
                op if !last => changed[at] = step(&items[at], path, depth + 1, op)?,
                PatchOp::Add(new) => changed.insert(at, new),
                PatchOp::Replace(new) => changed[at] = new,
                PatchOp::Remove => drop(changed.remove(at)),
            }
            Ok(changed.into())
        }
        _ => Err(StoreError::missing(path)),
    }
}

fn step_object(entries: &Object, path: &Path, depth: usize, op: PatchOp) -> Result<Value, StoreError> {
    let key = Value::from(&path.segments()[depth]);
    let present = entries.get(&key);
    let changed = match (op, present) {
        (op, Some(below)) if depth + 1 < path.len() => entries.with(key, step(below, path, depth + 1, op)?),
        (_, None) if depth + 1 < path.len() => return Err(StoreError::missing(path)),
        (PatchOp::Add(new), _) | (PatchOp::Replace(new), Some(_)) => entries.with(key, new),
        (PatchOp::Remove, Some(_)) => entries.without(&key),
        (PatchOp::Remove | PatchOp::Replace(_), None) => return Err(StoreError::missing(path)),
    };
    Ok(changed.into())
}

/// An index as OPA reads it: `01` and `+1` are fine. With `insert` the length itself is in range.
fn array_index(segment: &str, length: usize, insert: bool) -> Result<usize, &'static str> {
    let index: i64 = segment.parse().map_err(|_| INDEX_NOT_INTEGER)?;
    let index = usize::try_from(index).map_err(|_| INDEX_OUT_OF_RANGE)?;
    if index < length + usize::from(insert) { Ok(index) } else { Err(INDEX_OUT_OF_RANGE) }
}

/// Puts a document at a path as the Data API does: missing parents are made, an existing array index inserts.
pub(super) fn put(root: &Value, path: &Path, new: Value) -> Result<Value, StoreError> {
    let mut current = root;
    for (depth, segment) in path.segments().iter().enumerate() {
        let conflict = || StoreError::WriteConflict(path.prefix(depth));
        current = match current.view() {
            View::Object(entries) => {
                let Some(below) = entries.get_str(segment) else {
                    let missing = Value::empty_object().with(&path.segments()[depth + 1..], new);
                    return apply(root, Patch { op: PatchOp::Add(missing), path: path.prefix(depth + 1) });
                };
                below
            }
            // Unlike a patch, a put refuses to write behind the last element.
            View::Array(items) => &items[array_index(segment, items.len(), false).map_err(|_| conflict())?],
            _ => return Err(conflict()),
        };
    }
    apply(root, Patch { op: PatchOp::Add(new), path: path.clone() })
}

/// Applies one change of a delta bundle: as [`apply`], but what is added gets the parents that it lacks.
pub(super) fn change(root: &Value, patch: Patch) -> Result<Value, StoreError> {
    let Patch { op: PatchOp::Add(new), path } = patch else { return apply(root, patch) };
    let Some(parents) = path.len().checked_sub(1) else {
        return Err(StoreError::InvalidPatch("/: invalid patch path".to_owned()));
    };
    let known = (0..=parents).rev().find(|depth| root.at(&path.segments()[..*depth]).is_some()).unwrap_or_default();
    if known == parents {
        return apply(root, Patch { op: PatchOp::Add(new), path });
    }
    if !root.at(&path.segments()[..known]).is_some_and(Value::is_object) {
        return Err(StoreError::WriteConflict(path.prefix(known)));
    }
    let missing = Value::empty_object().with(&path.segments()[known + 1..], new);
    apply(root, Patch { op: PatchOp::Add(missing), path: path.prefix(known + 1) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{decode, encode};

    fn json(text: &str) -> Value {
        decode(text.as_bytes()).expect("valid JSON")
    }

    fn check(result: Result<Value, StoreError>, expected: &str) {
        let shown = result.map_or_else(|error| error.to_string(), |value| encode(&value));
        assert_eq!(shown, expected);
    }

    fn patch(document: &str, op: PatchOp, path: &str) -> Result<Value, StoreError> {
        apply(&json(document), Patch { op, path: Path::from_slashes(path) })
    }

    #[test]
    fn patches_follow_opas_rules() {
        let add = || PatchOp::Add(7_i64.into());
        check(patch("{}", add(), "a"), r#"{"a":7}"#);
        check(patch(r#"{"a":1}"#, add(), "a"), r#"{"a":7}"#);
        check(patch(r#"{"l":[1]}"#, add(), "l/0"), r#"{"l":[7,1]}"#);
        check(patch(r#"{"l":[1]}"#, add(), "l/1"), r#"{"l":[1,7]}"#);
        check(patch(r#"{"l":[1]}"#, add(), "l/-"), r#"{"l":[1,7]}"#);
        check(patch(r#"{"l":[1]}"#, add(), "l/+0"), r#"{"l":[7,1]}"#);
        check(patch(r#"{"l":[1]}"#, add(), "l/9"), "storage_not_found_error: /l/9: array index out of range");
        check(patch(r#"{"l":[1]}"#, add(), "l/-1"), "storage_not_found_error: /l/-1: array index out of range");
        check(patch(r#"{"l":[1]}"#, add(), "l/x"), "storage_not_found_error: /l/x: array index must be integer");
        check(patch(r#"{"l":[1]}"#, add(), "l/-/x"), "storage_not_found_error: /l/-/x: array index must be integer");
        check(patch("{}", add(), "a/b"), "storage_not_found_error: /a/b: document does not exist");
        check(patch(r#"{"s":1}"#, add(), "s/b"), "storage_not_found_error: /s/b: document does not exist");
        check(patch(r#"{"o":{}}"#, add(), "o/-"), r#"{"o":{"-":7}}"#);
        check(patch("{}", add(), ""), "storage_invalid_patch_error: root must be object");
        check(patch("{}", PatchOp::Replace(1_i64.into()), "a"), "storage_not_found_error: /a: document does not exist");
        check(patch(r#"{"l":[1]}"#, PatchOp::Remove, "l/-"), "storage_invalid_patch_error: /l/-: invalid patch path");
        check(patch(r#"{"l":[1,2]}"#, PatchOp::Remove, "l/0"), r#"{"l":[2]}"#);
        check(patch(r#"{"l":[]}"#, PatchOp::Remove, "l/0"), "storage_not_found_error: /l/0: array index out of range");
    }

    #[test]
    fn changes_of_delta_bundles_make_parents_and_append() {
        let change = |document: &str, path: &str| {
            change(&json(document), Patch { op: PatchOp::Add(7_i64.into()), path: Path::from_slashes(path) })
        };
        check(change("{}", "a/b/c"), r#"{"a":{"b":{"c":7}}}"#);
        check(change(r#"{"a":{"x":1}}"#, "a/b/c"), r#"{"a":{"b":{"c":7},"x":1}}"#);
        check(change(r#"{"a":1}"#, "a"), r#"{"a":7}"#);
        check(change(r#"{"l":[1,2]}"#, "l/1"), r#"{"l":[1,7,2]}"#);
        check(change(r#"{"l":[1]}"#, "l/-"), r#"{"l":[1,7]}"#);
        check(change(r#"{"l":[{}]}"#, "l/0/x"), r#"{"l":[{"x":7}]}"#);
        check(change(r#"{"l":[1]}"#, "l/-/x"), "storage_write_conflict_error: /l");
        check(change(r#"{"a":1}"#, "a/b/c"), "storage_write_conflict_error: /a");
        check(change(r#"{"a":1}"#, "a/b"), "storage_not_found_error: /a/b: document does not exist");
        check(change("{}", ""), "storage_invalid_patch_error: /: invalid patch path");
    }

    #[test]
    fn puts_make_parents_and_respect_what_is_there() {
        let put = |document: &str, path: &str| put(&json(document), &Path::from_slashes(path), 7_i64.into());
        check(put("{}", "a/b/c"), r#"{"a":{"b":{"c":7}}}"#);
        check(put(r#"{"l":[{"x":1}]}"#, "l/0/y/z"), r#"{"l":[{"x":1,"y":{"z":7}}]}"#);
        check(put(r#"{"l":[1]}"#, "l/0"), r#"{"l":[7,1]}"#);
        for path in ["l/1", "l/9", "l/-", "l/x"] {
            check(put(r#"{"l":[1]}"#, path), "storage_write_conflict_error: /l");
        }
        check(put(r#"{"a":{"n":null}}"#, "a/n/x/y"), "storage_write_conflict_error: /a/n");
    }
}
