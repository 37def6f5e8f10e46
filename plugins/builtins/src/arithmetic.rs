//! Arithmetic on numbers, and the difference of sets.

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::Number;

use super::sets::difference;
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "plus(x: number, y: number) => z: number # the sum of `x` and `y`",
        "Plus adds two numbers together.",
        plus,
    )
    .infix("+")
    .categories(&["numbers"]),
    function(
        "minus(x: any<number, set[any]>, y: any<number, set[any]>) => z: any<number, set[any]> # `x` without `y`",
        "Subtracts a number from another, or takes the members of a set out of another.",
        minus,
    )
    .infix("-")
    .categories(&["sets", "numbers"]),
    function("mul(x: number, y: number) => z: number # the product of `x` and `y`", "Multiplies two numbers.", mul)
        .infix("*")
        .categories(&["numbers"]),
    function(
        "div(
            x: number, # the dividend
            y: number # the divisor
        ) => z: number # the quotient of `x` and `y`",
        "Divides a number by another.",
        div,
    )
    .infix("/")
    .categories(&["numbers"]),
    function(
        "rem(x: number, y: number) => z: number # what is left of `x`",
        "What an integer leaves when it is divided by another that is not 0.",
        rem,
    )
    .infix("%")
    .categories(&["numbers"]),
    function("abs(x: number) => y: number # `x` without its sign", "Takes the sign off a number.", abs)
        .categories(&["numbers"]),
    function("ceil(x: number) => y: number # `x` rounded up", "Rounds up to an integer.", ceil)
        .categories(&["numbers"]),
    function("floor(x: number) => y: number # `x` rounded down", "Rounds down to an integer.", floor)
        .categories(&["numbers"]),
    function(
        "round(x: number) => y: number # the integer next to `x`",
        "Rounds to the nearest integer, halves away from 0.",
        round,
    )
    .categories(&["numbers"]),
];

fn binary(operands: Operands<'_>, run: fn(&Number, &Number) -> Number) -> Outcome {
    Ok(Some(run(&operands.number(0)?, &operands.number(1)?).into()))
}

fn unary(operands: Operands<'_>, run: fn(&Number) -> Number) -> Outcome {
    Ok(Some(run(&operands.number(0)?).into()))
}

fn plus(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    binary(operands, Number::add)
}

fn minus(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (a, b) = (operands.any(0), operands.any(1));
    if let (Some(a), Some(b)) = (a.as_number(), b.as_number()) {
        return Ok(Some(a.sub(&b).into()));
    }
    if let (Some(a), Some(b)) = (a.as_set(), b.as_set()) {
        return Ok(Some(difference(a, b).into()));
    }
    Err(if a.as_number().is_none() && a.as_set().is_none() {
        operands.must_be(0, "one of {number, set}")
    } else if b.as_number().is_some() {
        operands.must_be(1, "set")
    } else {
        operands.must_be(1, "number")
    })
}

fn mul(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    binary(operands, Number::mul)
}

fn div(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let quotient = operands.number(0)?.div(&operands.number(1)?);
    quotient.map(|quotient| Some(quotient.into())).ok_or_else(|| BuiltinError::failed("divide by zero"))
}

fn rem(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let rest = operands.number(0)?.rem(&operands.number(1)?);
    rest.map(|rest| Some(rest.into())).map_err(|error| BuiltinError::failed(error.to_string()))
}

fn abs(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    unary(operands, Number::abs)
}

fn ceil(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    unary(operands, Number::ceil)
}

fn floor(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    unary(operands, Number::floor)
}

fn round(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    unary(operands, Number::round)
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;

    #[test]
    fn numbers_are_calculated_with() {
        check(&[
            ("plus", "[0.1, 0.2]", "0.3"),
            ("plus", "[9223372036854775807, 1]", "9223372036854775808"),
            ("minus", "[3, 4]", "-1"),
            ("mul", "[4294967296, 4294967296]", "18446744073709551616"),
            ("div", "[6, 4]", "1.5"),
            ("rem", "[-7, 4]", "-3"),
            ("abs", "[-10]", "10"),
            ("ceil", "[-1.2]", "-1"),
            ("ceil", "[1.2]", "2"),
            ("floor", "[-1.2]", "-2"),
            ("round", "[2.5]", "3"),
            ("round", "[-2.5]", "-3"),
        ]);
    }

    #[test]
    fn impossible_calculations_are_errors() {
        check(&[
            ("div", "[1, 0]", "error: divide by zero"),
            ("div", "[1, 0.0]", "error: divide by zero"),
            ("rem", "[7, 0]", "error: modulo by zero"),
            ("rem", "[1.1, 1]", "error: modulo on floating-point number"),
            ("plus", "[\"1\", 1]", "type error: operand 1 must be number but got string"),
            ("minus", "[null, 1]", "type error: operand 1 must be one of {number, set} but got null"),
            ("minus", "[1, {\"$set\": []}]", "type error: operand 2 must be number but got set"),
            ("minus", "[{\"$set\": []}, 1]", "type error: operand 2 must be set but got number"),
        ]);
    }

    #[test]
    fn sets_lose_members() {
        check(&[("minus", "[{\"$set\": [1, 2, 3]}, {\"$set\": [2, 4]}]", "{\"$set\": [1, 3]}")]);
    }
}
