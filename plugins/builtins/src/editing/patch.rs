//! Changes to a document, as RFC 6902 describes them.

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::engine::Cancel;
use regent_core::value::{Object, Value, View};

use super::paths;
use super::tree::Tree;

/// How deep a change may make a document, and how many values changes may put in. Without a bound, a document that is
/// copied into itself soon outgrows all memory, and what goes over it all stack.
const DEEPEST: usize = 1_000;
const MOST: usize = 1 << 22;

pub(super) fn patch(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let changes = operands.array(1)?;
    let mut document = Document { root: Some(Tree::Whole(operands.any(0).clone())), room: MOST };
    for change in changes {
        if call.cancel.is_cancelled() {
            return Err(BuiltinError::Cancelled);
        }
        if change.as_object().and_then(|change| document.apply(change, call.cancel)).is_none() {
            return if call.cancel.is_cancelled() { Err(BuiltinError::Cancelled) } else { Ok(None) };
        }
    }
    Ok(document.root.map(|root| root.value()))
}

/// A document on its way through the changes. Nothing comes back from a change that cannot be made.
struct Document {
    /// Nothing when all of it was removed.
    root: Option<Tree>,
    /// How many values may still be put in.
    room: usize,
}

impl Document {
    fn apply(&mut self, change: &Object, cancel: &Cancel) -> Option<()> {
        let path_at = |field: &str| paths::parse(change.get_str(field)?);
        let operation = change.get_str("op")?.as_str()?;
        let path = path_at("path")?;
        match operation {
            "add" => self.insert(&path, change.get_str("value")?.clone(), cancel),
            "remove" => self.delete(&path),
            "replace" => {
                let value = change.get_str("value")?.clone();
                self.delete(&path)?;
                self.insert(&path, value, cancel)
            }
            "move" => {
                let from = path_at("from")?;
                let value = self.get(&from)?;
                self.delete(&from)?;
                self.insert(&path, value, cancel)
            }
            "copy" => {
                let value = self.get(&path_at("from")?)?;
                self.insert(&path, value, cancel)
            }
            "test" => (self.get(&path)? == *change.get_str("value")?).then_some(()),
            _ => None,
        }
    }

    fn get(&mut self, path: &[Value]) -> Option<Value> {
        self.root.as_mut()?.at(path, &mut |tree| Some(tree.value()))
    }

    fn insert(&mut self, path: &[Value], value: Value, cancel: &Cancel) -> Option<()> {
        let levels = DEEPEST.checked_sub(path.len())?;
        if !fits(&value, levels, &mut self.room, cancel) {
            return None;
        }
        let Some((key, parents)) = path.split_last() else {
            self.root = Some(Tree::Whole(value));
            return Some(());
        };
        let mut value = Some(value);
        self.root.as_mut()?.at(parents, &mut |tree| tree.insert(key, value.take()?))
    }

    fn delete(&mut self, path: &[Value]) -> Option<()> {
        match path.split_last() {
            Some((key, parents)) => self.root.as_mut()?.at(parents, &mut |tree| tree.delete(key)),
            None => self.root.take().map(drop),
        }
    }
}

/// Whether a value is no deeper than that and has no more values within it than there is room for; takes the room.
fn fits(value: &Value, levels: usize, room: &mut usize, cancel: &Cancel) -> bool {
    let Some(left) = room.checked_sub(1) else {
        return false;
    };
    *room = left;
    if left % 4096 == 0 && cancel.is_cancelled() {
        return false;
    }
    let mut fits_below = |value| levels > 0 && fits(value, levels - 1, room, cancel);
    match value.view() {
        View::Array(items) => items.iter().all(fits_below),
        View::Set(members) => members.iter().all(fits_below),
        View::Object(entries) => entries.iter().all(|(key, value)| fits_below(key) && fits_below(value)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::cases::check;

    #[track_caller]
    fn patched(document: &str, changes: &str, expected: &str) {
        check(&[("json.patch", &format!("[{document}, [{changes}]]"), expected)]);
    }

    #[test]
    fn each_operation_changes_the_document() {
        let document = r#"{"a": {"b": 1}, "l": [1, 2]}"#;
        let cases = [
            (r#"{"op": "add", "path": "/a/c", "value": 2}"#, r#"{"a": {"b": 1, "c": 2}, "l": [1, 2]}"#),
            (r#"{"op": "add", "path": "a/b", "value": 2}"#, r#"{"a": {"b": 2}, "l": [1, 2]}"#),
            (r#"{"op": "add", "path": ["l", 1], "value": 9}"#, r#"{"a": {"b": 1}, "l": [1, 9, 2]}"#),
            (r#"{"op": "add", "path": "/l/-", "value": 9}"#, r#"{"a": {"b": 1}, "l": [1, 2, 9]}"#),
            (r#"{"op": "add", "path": "", "value": 9}"#, "9"),
            (r#"{"op": "remove", "path": "/l/0"}"#, r#"{"a": {"b": 1}, "l": [2]}"#),
            (r#"{"op": "replace", "path": "/l/0", "value": []}"#, r#"{"a": {"b": 1}, "l": [[], 2]}"#),
            (r#"{"op": "replace", "path": [], "value": []}"#, "[]"),
            (r#"{"op": "move", "from": "/a/b", "path": "/l/2"}"#, r#"{"a": {}, "l": [1, 2, 1]}"#),
            (r#"{"op": "copy", "from": "/l", "path": "/a/b"}"#, r#"{"a": {"b": [1, 2]}, "l": [1, 2]}"#),
            (r#"{"op": "test", "path": "/a", "value": {"b": 1.0}}"#, document),
        ];
        for (change, expected) in cases {
            patched(document, change, expected);
        }
    }

    #[test]
    fn changes_build_on_one_another() {
        patched(
            "[{\"x\": 1}]",
            r#"{"op": "add", "path": "0", "value": {"y": 2}}, {"op": "remove", "path": "1/x"},
               {"op": "add", "path": "1/z", "value": {}}, {"op": "add", "path": "1/z/w", "value": 3}"#,
            r#"[{"y": 2}, {"z": {"w": 3}}]"#,
        );
        patched("{}", r#"{"op": "remove", "path": ""}, {"op": "add", "path": "", "value": 1}"#, "1");
    }

    #[test]
    fn members_of_sets_are_their_own_paths() {
        let document = r#"{"$set": [[0], "a"]}"#;
        patched(document, r#"{"op": "add", "path": "b", "value": "b"}"#, r#"{"$set": [[0], "a", "b"]}"#);
        patched(document, r#"{"op": "remove", "path": [[0]]}"#, r#"{"$set": ["a"]}"#);
        patched(
            document,
            r#"{"op": "add", "path": [[0], 1], "value": 1}, {"op": "add", "path": [[0, 1], 2], "value": 2}"#,
            r#"{"$set": [[0, 1, 2], "a"]}"#,
        );
        patched(document, r#"{"op": "add", "path": "b", "value": "c"}"#, "undefined");
    }

    #[test]
    fn a_change_that_cannot_be_made_leaves_nothing() {
        let changes = [
            "1",
            "{}",
            r#"{"op": "add", "path": "/a"}"#,
            r#"{"op": "other", "path": "/a"}"#,
            r#"{"op": "remove", "path": 1}"#,
            r#"{"op": "remove", "path": "/z"}"#,
            r#"{"op": "remove", "path": ""}"#,
            r#"{"op": "add", "path": "/z/y", "value": 1}"#,
            r#"{"op": "add", "path": "/a/3", "value": 1}"#,
            r#"{"op": "add", "path": "/a/01", "value": 1}"#,
            r#"{"op": "add", "path": "/a/-1", "value": 1}"#,
            r#"{"op": "remove", "path": "/a/-"}"#,
            r#"{"op": "replace", "path": "/a/2", "value": 1}"#,
            r#"{"op": "copy", "path": "/b"}"#,
            r#"{"op": "move", "from": "/z", "path": "/b"}"#,
            r#"{"op": "test", "path": "/a", "value": []}"#,
            r#"{"op": "add", "path": "/s/0", "value": 1}"#,
        ];
        for change in changes {
            patched(r#"{"a": [1, 2], "s": "text"}"#, change, "undefined");
        }
    }

    #[test]
    fn documents_that_are_copied_into_themselves_end() {
        let wide = [r#"{"op": "copy", "from": "", "path": "/a"}"#, r#"{"op": "copy", "from": "", "path": "/b"}"#];
        patched("{}", &vec![wide.join(","); 60].join(","), "undefined");
        let deep = r#"{"op": "move", "from": "/a", "path": "/b/x"}, {"op": "move", "from": "/b", "path": "/a"},
            {"op": "add", "path": "/b", "value": {}}"#;
        patched(r#"{"a": {}, "b": {}}"#, &vec![deep; 1_100].join(","), "undefined");
    }
}
