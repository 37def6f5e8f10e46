//! Arrays.

use regent_core::builtin::{Call, Operands, Outcome};
use regent_core::value::Value;

use super::bounds;
use super::operand::integer;
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "array.concat(
            x: array[any], # the first items
            y: array[any] # the items after them
        ) => z: array[any] # the items of `x` and of `y`",
        "Puts an array behind another.",
        concat,
    ),
    function(
        "array.flatten(arr: array[any] # the array\n) => flattened: array[any] # its items, and theirs",
        "Puts the items of arrays within an array in their place, one level deep.",
        flatten,
    ),
    function(
        "array.reverse(arr: array[any] # the array\n) => rev: array[any] # its items from the last to the first",
        "Turns the order of an array around.",
        reverse,
    ),
    function(
        "array.slice(
            arr: array[any], # the array
            start: number, # index of the first item; below zero it counts as 0
            stop: number # index of the item after the last one; beyond the end it counts as `count(arr)`
        ) => slice: array[any] # the items from `start` to before `stop`",
        "A part of an array; empty when `start` is not below `stop`.",
        slice,
    ),
];

fn concat(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (first, second) = (operands.array(0)?, operands.array(1)?);
    bounds::items(first.len() + second.len())?;
    Ok(Some(Value::array(first.iter().chain(second).cloned())))
}

fn flatten(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let length = |item: &Value| item.as_array().map_or(1, <[Value]>::len);
    bounds::items(operands.array(0)?.iter().map(length).sum())?;
    let items = operands.array(0)?.iter().flat_map(|item| item.as_array().unwrap_or(std::slice::from_ref(item)));
    Ok(Some(Value::array(items.cloned())))
}

fn reverse(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(Value::array(operands.array(0)?.iter().rev().cloned())))
}

fn slice(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let items = operands.array(0)?;
    let (start, stop) = (integer(operands, 1)?, integer(operands, 2)?);
    let within = |index: i64, end: usize| usize::try_from(index.max(0)).map_or(end, |index| index.min(end));
    let stop = within(stop, items.len());
    Ok(Some(Value::array(items[within(start, stop)..stop].iter().cloned())))
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;

    #[test]
    fn arrays_are_rearranged() {
        check(&[
            ("array.concat", "[[1, 2], [3]]", "[1, 2, 3]"),
            ("array.flatten", "[[[[1], [2, []]], [[4]], 5, []]]", "[[1], [2, []], [4], 5]"),
            ("array.reverse", "[[1, 2, 3]]", "[3, 2, 1]"),
        ]);
    }

    #[test]
    fn slices_stay_within_the_array() {
        let cases = [
            ("1, 3", "[2, 3]"),
            ("-4, -1", "[]"),
            ("4, 1", "[]"),
            ("-1, 2", "[1, 2]"),
            ("3, 600", "[4, 5]"),
            ("1000, 2000", "[]"),
            ("0, 9223372036854775807", "[1, 2, 3, 4, 5]"),
        ];
        for (bounds, expected) in cases {
            check(&[("array.slice", &format!("[[1, 2, 3, 4, 5], {bounds}]"), expected)]);
        }
    }

    #[test]
    fn operands_are_arrays_and_integers() {
        let no_integer = "type error: operand 2 must be integer number but got floating-point number";
        check(&[
            ("array.concat", "[{}, []]", "type error: operand 1 must be array but got object"),
            ("array.concat", "[[], {}]", "type error: operand 2 must be array but got object"),
            ("array.flatten", "[42]", "type error: operand 1 must be array but got number"),
            ("array.slice", "[[1], 0.5, 1]", no_integer),
            ("array.slice", "[[1], 0.0, 1]", no_integer),
            ("array.slice", "[[1], 0, null]", "type error: operand 3 must be number but got null"),
        ]);
    }
}
