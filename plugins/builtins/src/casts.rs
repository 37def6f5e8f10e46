//! From one type to another. But for `to_number` these are deprecated.

mod go_float;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Set, Value, View};

use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "to_number(
            x: any<null, boolean, number, string> # what is converted
        ) => num: number # the number: of `null` and `false` 0, of `true` 1, of a string the one that it spells",
        "Makes a number of a number, string, boolean or `null`.",
        to_number,
    )
    .categories(&["conversions"]),
    function("cast_array(any) => array[any]", "", cast_array).deprecated(),
    function("cast_boolean(any) => boolean", "", cast_boolean).deprecated(),
    function("cast_null(any) => null", "", cast_null).deprecated(),
    function("cast_object(any) => object[any: any]", "", cast_object).deprecated(),
    function("cast_set(any) => set[any]", "", cast_set).deprecated(),
    function("cast_string(any) => string", "", cast_string).deprecated(),
];

fn to_number(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let number = match operands.any(0).view() {
        View::Null => 0.into(),
        View::Bool(truth) => i64::from(truth).into(),
        View::Number(number) => number.into(),
        View::String(text) => return spelled(operands, text),
        _ => return Err(operands.must_be(0, "one of {null, boolean, number, string}")),
    };
    Ok(Some(number))
}

fn spelled(operands: Operands<'_>, text: &str) -> Outcome {
    let unsigned = text.trim_start_matches(['+', '-']);
    if ["inf", "infinity", "nan"].iter().any(|name| unsigned.eq_ignore_ascii_case(name)) {
        return Err(operands.must_be(0, "valid number string"));
    }
    let number = go_float::parse(text)
        .map_err(|problem| BuiltinError::failed(format!("strconv.ParseFloat: parsing {text:?}: {problem}")))?;
    Ok(Some(number.into()))
}

/// The operand as it is, if it is of the type.
fn only(operands: Operands<'_>, kind: &str) -> Outcome {
    let value = operands.any(0);
    if value.type_name() == kind { Ok(Some(value.clone())) } else { Err(operands.must_be(0, kind)) }
}

fn cast_array(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    match operands.any(0).view() {
        View::Array(_) => Ok(Some(operands.any(0).clone())),
        View::Set(members) => Ok(Some(Value::array(members.iter().cloned()))),
        _ => Err(operands.must_be(0, "one of {array, set}")),
    }
}

fn cast_set(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    match operands.any(0).view() {
        View::Array(items) => Ok(Some(items.iter().cloned().collect::<Set>().into())),
        View::Set(_) => Ok(Some(operands.any(0).clone())),
        _ => Err(operands.must_be(0, "one of {array, set}")),
    }
}

fn cast_boolean(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    only(operands, "boolean")
}

fn cast_null(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    only(operands, "null")
}

fn cast_object(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    only(operands, "object")
}

fn cast_string(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    only(operands, "string")
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;

    #[test]
    fn numbers_are_made_of_scalars() {
        check(&[
            ("to_number", "[null]", "0"),
            ("to_number", "[true]", "1"),
            ("to_number", "[1.50]", "1.50"),
            ("to_number", "[\"-1.50\"]", "-1.50"),
            ("to_number", "[\"+5\"]", "5"),
            ("to_number", "[[]]", "type error: operand 1 must be one of {null, boolean, number, string} but got array"),
        ]);
    }

    #[test]
    fn strings_that_spell_no_number_are_errors() {
        let no_number = "type error: operand 1 must be valid number string but got string";
        check(&[
            ("to_number", "[\"broken\"]", "error: strconv.ParseFloat: parsing \"broken\": invalid syntax"),
            ("to_number", "[\"1e400\"]", "error: strconv.ParseFloat: parsing \"1e400\": value out of range"),
            ("to_number", "[\"nan\"]", no_number),
            ("to_number", "[\"-Infinity\"]", no_number),
        ]);
    }

    #[test]
    fn casts_take_what_is_of_the_type_already() {
        check(&[
            ("cast_array", r#"[{"$set": [2, 1]}]"#, "[1, 2]"),
            ("cast_set", "[[2, 1, 2]]", r#"{"$set": [1, 2]}"#),
            ("cast_string", "[\"a\"]", "\"a\""),
            ("cast_boolean", "[1]", "type error: operand 1 must be boolean but got number"),
            ("cast_null", "[null]", "null"),
            ("cast_object", "[{}]", "{}"),
            ("cast_set", "[{}]", "type error: operand 1 must be one of {array, set} but got object"),
        ]);
    }
}
