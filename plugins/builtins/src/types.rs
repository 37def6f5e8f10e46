//! What type a value is of.

use regent_core::builtin::{Call, Operands, Outcome};

use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function("is_null(x: any # a value\n) => result: boolean # whether it is `null`", "Finds `null`.", is_null)
        .categories(&["types"]),
    function("is_boolean(x: any # a value\n) => result: boolean # whether it is one", "Finds booleans.", is_boolean)
        .categories(&["types"]),
    function("is_number(x: any # a value\n) => result: boolean # whether it is one", "Finds numbers.", is_number)
        .categories(&["types"]),
    function("is_string(x: any # a value\n) => result: boolean # whether it is one", "Finds strings.", is_string)
        .categories(&["types"]),
    function("is_array(x: any # a value\n) => result: boolean # whether it is one", "Finds arrays.", is_array)
        .categories(&["types"]),
    function("is_object(x: any # a value\n) => result: boolean # whether it is one", "Finds objects.", is_object)
        .categories(&["types"]),
    function("is_set(x: any # a value\n) => result: boolean # whether it is one", "Finds sets.", is_set)
        .categories(&["types"]),
    function(
        "type_name(x: any # a value\n) => type: string # `null`, `boolean`, `number`, `string`, `array`, `object`, `set`",
        "The name of a value's type.",
        type_name,
    )
    .categories(&["types"]),
];

fn is(operands: Operands<'_>, name: &str) -> Outcome {
    Ok(Some((operands.any(0).type_name() == name).into()))
}

fn is_null(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    is(operands, "null")
}

fn is_boolean(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    is(operands, "boolean")
}

fn is_number(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    is(operands, "number")
}

fn is_string(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    is(operands, "string")
}

fn is_array(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    is(operands, "array")
}

fn is_object(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    is(operands, "object")
}

fn is_set(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    is(operands, "set")
}

fn type_name(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(operands.any(0).type_name().into()))
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;

    #[test]
    fn each_value_is_of_one_type() {
        let values = [
            ("null", "null"),
            ("boolean", "true"),
            ("number", "1.5"),
            ("string", "\"a\""),
            ("array", "[]"),
            ("object", "{}"),
            ("set", "{\"$set\": []}"),
        ];
        for (kind, value) in values {
            let operands = format!("[{value}]");
            check(&[("type_name", &operands, &format!("\"{kind}\""))]);
            for (other, _) in values {
                check(&[(&format!("is_{other}"), &operands, if other == kind { "true" } else { "false" })]);
            }
        }
    }
}
