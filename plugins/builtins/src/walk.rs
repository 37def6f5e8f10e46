//! Everything that lies within a value, with the path to it.

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Value, View};

use super::bounds;
use super::numbers::item_at;
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[function(
    "walk(
        x: any # value to walk
    ) => output: array<array[any], any> # pairs of `path` and `value`: `path` is an array representing the pointer to `value` in `x`. If `path` is assigned a wildcard (`_`), the `walk` function will skip path creation entirely for faster evaluation.",
    "Generates `[path, value]` tuples for all nested documents of `x` (recursively).  Queries can use `walk` to traverse documents nested under `x`.",
    walk,
)
.categories(&["graph"])
.relation()];

/// The values within a value, each after the one that it is in, in the order of their keys.
///
/// It holds no more than what is open on the way down, so that a large document can be looked at piece by piece.
pub(crate) struct Walk<'a> {
    filter: Vec<Option<Value>>,
    start: Option<&'a Value>,
    open: Vec<Children<'a>>,
    path: Vec<Value>,
}

/// What lies directly within a value, each with its key.
type Children<'a> = Box<dyn Iterator<Item = (Value, &'a Value)> + 'a>;

impl<'a> Walk<'a> {
    /// The value and everything within it.
    pub(crate) fn new(value: &'a Value) -> Self {
        Self::under(value, Vec::new())
    }

    /// What lies at paths that start with such keys, and everything within. `None` stands for any key.
    pub(crate) fn under(value: &'a Value, filter: Vec<Option<Value>>) -> Self {
        Self { filter, start: Some(value), open: Vec::new(), path: Vec::new() }
    }

    /// The keys that lead to the value that came last.
    pub(crate) fn path(&self) -> &[Value] {
        &self.path
    }

    /// The next value.
    pub(crate) fn advance(&mut self) -> Option<&'a Value> {
        loop {
            let value = match self.start.take() {
                Some(start) => start,
                None => self.step()?,
            };
            let depth = self.open.len();
            self.open.push(children(value, self.filter.get(depth).and_then(Option::as_ref)));
            if depth >= self.filter.len() {
                return Some(value);
            }
        }
    }

    /// Goes to the next value, whether it is wanted or not.
    fn step(&mut self) -> Option<&'a Value> {
        loop {
            if let Some((key, value)) = self.open.last_mut()?.next() {
                self.path.truncate(self.open.len() - 1);
                self.path.push(key);
                return Some(value);
            }
            self.open.pop();
        }
    }
}

fn children<'a>(value: &'a Value, wanted: Option<&Value>) -> Children<'a> {
    if let Some(key) = wanted {
        let child = match value.view() {
            View::Array(items) => item_at(items, key),
            View::Object(entries) => entries.get(key),
            View::Set(members) => members.contains(key).then(|| members.iter().find(|member| *member == key)).flatten(),
            _ => None,
        };
        let key = key.clone();
        return Box::new(child.into_iter().map(move |child| (key.clone(), child)));
    }
    match value.view() {
        View::Array(items) => Box::new(items.iter().enumerate().map(|(index, item)| ((index as u64).into(), item))),
        View::Object(entries) => Box::new(entries.iter().map(|(key, value)| (key.clone(), value))),
        View::Set(members) => Box::new(members.iter().map(|member| (member.clone(), member))),
        _ => Box::new(std::iter::empty()),
    }
}

fn walk(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let mut walk = Walk::new(operands.any(0));
    let mut pairs = Vec::new();
    let mut kept = 0;
    while let Some(value) = walk.advance() {
        if pairs.len() % 1024 == 0 && call.cancel.is_cancelled() {
            return Err(BuiltinError::Cancelled);
        }
        kept += walk.path().len();
        bounds::items(kept)?;
        pairs.push(Value::array([Value::array(walk.path().iter().cloned()), value.clone()]));
    }
    Ok(Some(pairs.into()))
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;
    use super::super::testing::value;
    use super::*;

    #[test]
    fn values_come_before_what_is_in_them() {
        check(&[
            ("walk", "[1]", "[[[], 1]]"),
            (
                "walk",
                r#"[{"b": [5], "a": {}}]"#,
                r#"[[[], {"a": {}, "b": [5]}], [["a"], {}], [["b"], [5]], [["b", 0], 5]]"#,
            ),
            (
                "walk",
                r#"[{"$set": [{"$set": [1]}]}]"#,
                r#"[[[], {"$set": [{"$set": [1]}]}],
                        [[{"$set": [1]}], {"$set": [1]}],
                        [[{"$set": [1]}, 1], 1]]"#,
            ),
        ]);
    }

    #[test]
    fn a_path_that_is_known_in_part_leaves_the_rest_out() {
        let document = value(r#"{"a": [{"b": {"x": 1}}, {"c": 2}, {"b": {"y": {"$set": [3]}}}], "d": 4}"#);
        let filter = vec![Some("a".into()), None, Some("b".into())];
        let mut walk = Walk::under(&document, filter);
        let mut seen = Vec::new();
        while let Some(value) = walk.advance() {
            seen.push(format!("{} {value}", Value::array(walk.path().iter().cloned())));
        }
        let expected = [
            r#"["a",0,"b"] {"x":1}"#,
            r#"["a",0,"b","x"] 1"#,
            r#"["a",2,"b"] {"y":[3]}"#,
            r#"["a",2,"b","y"] [3]"#,
            r#"["a",2,"b","y",3] 3"#,
        ];
        assert_eq!(seen, expected);
    }
}
