//! Several objects in one. Objects under the same key become one too; of other values the last one counts.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::engine::Cancel;
use regent_core::value::{Object, Value};

use super::super::bounds;
use super::super::operand::element;

pub(super) fn of_two(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (a, b) = (operands.object(0)?, operands.object(1)?);
    Ok(Some(merge(a, b, call.cancel)?.into()))
}

fn merge(a: &Object, b: &Object, cancel: &Cancel) -> Result<Object, BuiltinError> {
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    let mut merged = Vec::with_capacity(a.len().max(b.len()));
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some((a, _)), Some((b, _))) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return Ok(merged.into_iter().collect()),
        };
        let old = if order.is_le() { left.next() } else { None };
        let new = if order.is_ge() { right.next() } else { None };
        merged.extend(match (old, new) {
            (Some((key, old)), Some((_, new))) => Some((
                key.clone(),
                match (old.as_object(), new.as_object()) {
                    (Some(old), Some(new)) => bounds::below(cancel, || merge(old, new, cancel))?.into(),
                    _ => new.clone(),
                },
            )),
            (one, other) => one.or(other).map(|(key, value)| (key.clone(), value.clone())),
        });
    }
}

pub(super) fn of_all(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let objects = operands.array(0)?;
    let as_object =
        |value: &Value| value.as_object().cloned().ok_or_else(|| element(0, operands.any(0), value, "object"));
    // As OPA goes from the last to the first, so does the search for one that is no object.
    let objects = objects.iter().rev().map(as_object).collect::<Result<Vec<_>, _>>()?;
    let mut union = BTreeMap::new();
    for object in objects.into_iter().rev() {
        bounds::below(call.cancel, || add(&mut union, &object, call.cancel))?;
    }
    Ok(Some(finish(union, call.cancel)?))
}

/// A value of a union that grows.
enum Part {
    /// A value that nothing was added to.
    Whole(Value),
    /// An object that was added to.
    Grown(BTreeMap<Value, Part>),
}

fn add(union: &mut BTreeMap<Value, Part>, object: &Object, cancel: &Cancel) -> Result<(), BuiltinError> {
    for (key, value) in object {
        match (union.get_mut(key), value.as_object()) {
            (Some(Part::Grown(known)), Some(new)) => bounds::below(cancel, || add(known, new, cancel))?,
            (Some(part), new) => {
                *part = match (&*part, new) {
                    (Part::Whole(known), Some(new)) if known.as_object().is_some() => {
                        let mut grown = BTreeMap::new();
                        for one in known.as_object().into_iter().chain([new]) {
                            bounds::below(cancel, || add(&mut grown, one, cancel))?;
                        }
                        Part::Grown(grown)
                    }
                    _ => Part::Whole(value.clone()),
                }
            }
            (None, _) => {
                union.insert(key.clone(), Part::Whole(value.clone()));
            }
        }
    }
    Ok(())
}

fn finish(union: BTreeMap<Value, Part>, cancel: &Cancel) -> Result<Value, BuiltinError> {
    let value = |mut part: Part| match &mut part {
        Part::Whole(value) => Ok(std::mem::take(value)),
        Part::Grown(entries) => bounds::below(cancel, || finish(std::mem::take(entries), cancel)),
    };
    let entries = union.into_iter().map(|(key, part)| Ok((key, value(part)?)));
    Ok(Value::object(entries.collect::<Result<Vec<_>, BuiltinError>>()?))
}

impl Drop for Part {
    /// However deep it is.
    fn drop(&mut self) {
        if let Self::Grown(entries) = self {
            let entries = std::mem::take(entries);
            bounds::deeper(|| drop(entries));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::cases::check;

    #[test]
    fn objects_within_objects_become_one() {
        check(&[
            ("object.union", "[{}, {}]", "{}"),
            ("object.union", r#"[{"b": 2}, {"a": {"b": 1}, "c": 3}]"#, r#"{"a": {"b": 1}, "b": 2, "c": 3}"#),
            (
                "object.union",
                r#"[{"a": 1, "c": {"d": [3]}}, {"a": 7, "c": {"d": [4], "e": 5}}]"#,
                r#"{"a": 7, "c": {"d": [4], "e": 5}}"#,
            ),
            ("object.union", r#"[{"a": {"b": 1}}, {"a": 2}]"#, r#"{"a": 2}"#),
            ("object.union", "[[], {}]", "type error: operand 1 must be object but got array"),
        ]);
    }

    #[test]
    fn a_value_between_cuts_objects_off() {
        check(&[
            ("object.union_n", "[[]]", "{}"),
            ("object.union_n", r#"[[{"a": {"b": 2}}, {"a": 4}, {"a": {"c": 3}}]]"#, r#"{"a": {"c": 3}}"#),
            (
                "object.union_n",
                r#"[[{"a": {"b": {"x": 1}}}, {"a": {"b": {"y": 2}}}, {"a": {"b": {"x": 3}, "c": 4}}]]"#,
                r#"{"a": {"b": {"x": 3, "y": 2}, "c": 4}}"#,
            ),
            (
                "object.union_n",
                "[[null, 1, {}]]",
                "type error: operand 1 must be array of objects but got array containing number",
            ),
        ]);
    }
}
