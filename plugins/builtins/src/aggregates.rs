//! What a whole collection comes to.

use std::cmp::Ordering;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Number, Value, View};

use super::numbers::item_at;
use super::operand::element;
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "count(
            collection: any<string, array[any], object[any: any], set[any]> # the set/array/object/string to be counted
        ) => n: number # how many items, members, entries or characters it has",
        "The size of a collection or a string.",
        count,
    )
    .categories(&["aggregates"]),
    function(
        "sum(collection: any<array[number], set[number]> # the numbers\n) => n: number # their sum",
        "Adds all numbers of an array or set.",
        sum,
    )
    .categories(&["aggregates"]),
    function(
        "product(collection: any<array[number], set[number]> # the numbers\n) => n: number # their product",
        "Multiplies all numbers of an array or set.",
        product,
    )
    .categories(&["aggregates"]),
    function(
        "max(collection: any<array[any], set[any]> # the values\n) => n: any # the one that comes last",
        "The greatest value of an array or set.",
        max,
    )
    .categories(&["aggregates"]),
    function(
        "min(collection: any<array[any], set[any]> # the values\n) => n: any # the one that comes first",
        "The smallest value of an array or set.",
        min,
    )
    .categories(&["aggregates"]),
    function(
        "sort(collection: any<array[any], set[any]> # the values\n) => n: array[any] # the values in their order",
        "Sorts an array or set.",
        sort,
    )
    .categories(&["aggregates"]),
    function("all(any<array[any], set[any]>) => boolean", "", all).deprecated(),
    function("any(any<array[any], set[any]>) => boolean", "", any).deprecated(),
    function("internal.member_2(any, any) => boolean", "", member).infix("in"),
    function("internal.member_3(any, any, any) => boolean", "", member_with_key).infix("in"),
];

fn count(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let size = match operands.any(0).view() {
        View::Array(items) => items.len(),
        View::Object(entries) => entries.len(),
        View::Set(members) => members.len(),
        View::String(text) => text.chars().count(),
        _ => return Err(operands.must_be(0, "one of {array, object, set, string}")),
    };
    Ok(Some((size as u64).into()))
}

/// The values of the first operand, which must be an array or a set.
fn values<'a>(operands: Operands<'a>, expected: &str) -> Result<Vec<&'a Value>, BuiltinError> {
    match operands.any(0).view() {
        View::Array(items) => Ok(items.iter().collect()),
        View::Set(members) => Ok(members.iter().collect()),
        _ => Err(operands.must_be(0, expected)),
    }
}

const SET_OR_ARRAY: &str = "one of {set, array}";
const ARRAY_OR_SET: &str = "one of {array, set}";

/// The numbers of the first operand.
fn numbers(operands: Operands<'_>) -> Result<Vec<Number>, BuiltinError> {
    let number = |value: &Value| value.as_number().ok_or_else(|| element(0, operands.any(0), value, "number"));
    values(operands, SET_OR_ARRAY)?.into_iter().map(number).collect()
}

fn sum(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    accumulate(&numbers(operands)?, 0, Number::add, call)
}

fn product(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    accumulate(&numbers(operands)?, 1, Number::mul, call)
}

/// Combines numbers, as long as somebody waits for it.
fn accumulate(numbers: &[Number], start: i64, combine: fn(&Number, &Number) -> Number, call: &Call<'_>) -> Outcome {
    let mut result = Number::from(start);
    for number in numbers {
        if call.cancel.is_cancelled() {
            return Err(BuiltinError::Cancelled);
        }
        result = combine(&result, number);
    }
    Ok(Some(result.into()))
}

/// Of equal values the last one.
fn last(operands: Operands<'_>, wins: fn(Ordering) -> bool) -> Outcome {
    let values = values(operands, SET_OR_ARRAY)?.into_iter();
    Ok(values.reduce(|best, next| if wins(next.cmp(best)) { next } else { best }).cloned())
}

fn max(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    last(operands, Ordering::is_ge)
}

fn min(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    last(operands, Ordering::is_le)
}

fn sort(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let mut values = values(operands, SET_OR_ARRAY)?;
    values.sort();
    Ok(Some(Value::array(values.into_iter().cloned())))
}

fn all(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(values(operands, ARRAY_OR_SET)?.into_iter().all(|value| value.as_bool() == Some(true)).into()))
}

fn any(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(values(operands, ARRAY_OR_SET)?.into_iter().any(|value| value.as_bool() == Some(true)).into()))
}

fn member(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let wanted = operands.any(0);
    let found = match operands.any(1).view() {
        View::Set(members) => members.contains(wanted),
        View::Array(items) => items.contains(wanted),
        View::Object(entries) => entries.iter().any(|(_, value)| value == wanted),
        _ => false,
    };
    Ok(Some(found.into()))
}

fn member_with_key(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (key, wanted) = (operands.any(0), operands.any(1));
    let found = match operands.any(2).view() {
        View::Set(members) => key == wanted && members.contains(key),
        View::Array(items) => item_at(items, key) == Some(wanted),
        View::Object(entries) => entries.get(key) == Some(wanted),
        _ => false,
    };
    Ok(Some(found.into()))
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;
    use super::super::testing::Query;
    use super::*;

    #[test]
    fn collections_are_counted() {
        let expected = "type error: operand 1 must be one of {array, object, set, string} but got null";
        check(&[
            ("count", "[[1, 1]]", "2"),
            ("count", r#"[{"$set": [1, 1.0]}]"#, "1"),
            ("count", r#"[{"a": 1}]"#, "1"),
            ("count", r#"["åäö"]"#, "3"),
            ("count", "[null]", expected),
        ]);
    }

    #[test]
    fn numbers_are_summed_and_multiplied() {
        check(&[
            ("sum", "[[]]", "0"),
            ("sum", "[[1, 2.0, 3]]", "6"),
            ("sum", r#"[{"$set": [1.5, 2]}]"#, "3.5"),
            ("sum", "[[9223372036854775807, 1]]", "9223372036854775808"),
            ("product", "[[]]", "1"),
            ("product", "[[1, 2, 3, 4]]", "24"),
            ("product", "[[4294967296, 4294967296, 4294967296]]", "79228162514264337590000000000"),
            ("product", "[[0.5, 3]]", "1.5"),
            ("sum", "[[1, \"2\"]]", "type error: operand 1 must be array of numbers but got array containing string"),
            (
                "product",
                r#"[{"$set": [null]}]"#,
                "type error: operand 1 must be set of numbers but got set containing null",
            ),
            ("sum", "[{}]", "type error: operand 1 must be one of {set, array} but got object"),
        ]);
    }

    #[test]
    fn the_greatest_and_smallest_are_found() {
        check(&[
            ("max", "[[]]", "undefined"),
            ("min", r#"[{"$set": []}]"#, "undefined"),
            ("max", "[[3, 1.0, 3.0, \"a\", 2]]", "\"a\""),
            ("max", "[[3, 3.0]]", "3.0"),
            ("min", "[[3, 1, -7, 1e0]]", "-7"),
            ("min", "[[1, 1.0]]", "1.0"),
            ("min", r#"[{"$set": [3, 2]}]"#, "2"),
            ("sort", "[[4, \"a\", null, 3, 2.5]]", "[null, 2.5, 3, 4, \"a\"]"),
            ("sort", "[1]", "type error: operand 1 must be one of {set, array} but got number"),
        ]);
    }

    #[test]
    fn all_and_any_look_for_true() {
        check(&[
            ("all", "[[]]", "true"),
            ("all", "[[true, 1]]", "false"),
            ("all", r#"[{"$set": [true]}]"#, "true"),
            ("any", "[[]]", "false"),
            ("any", "[[false, true]]", "true"),
            ("any", "[null]", "type error: operand 1 must be one of {array, set} but got null"),
        ]);
    }

    #[test]
    fn members_are_found_by_value_and_by_key() {
        check(&[
            ("internal.member_2", "[1, [1.0]]", "true"),
            ("internal.member_2", r#"[1, {"foo": 1}]"#, "true"),
            ("internal.member_2", r#"["foo", {"$set": ["fox"]}]"#, "false"),
            ("internal.member_2", "[1, \"1\"]", "false"),
            ("internal.member_3", "[1, 2, [3, 2]]", "true"),
            ("internal.member_3", "[-1, 2, [3, 2]]", "false"),
            ("internal.member_3", r#"["foo", 1, {"foo": 1}]"#, "true"),
            ("internal.member_3", r#"[1, 1, {"$set": [1]}]"#, "true"),
            ("internal.member_3", r#"[1, 2, {"$set": [1, 2]}]"#, "false"),
            ("internal.member_3", "[1, \"foo\", 1]", "false"),
        ]);
    }

    #[test]
    fn products_end_with_the_query() {
        let factors = format!("[[{}1]]", format!("{},", "9".repeat(9_000)).repeat(5));
        assert_eq!(Query::cancelled().call("product", &factors), Err(BuiltinError::Cancelled));
    }
}
