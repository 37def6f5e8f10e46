//! Integers as rows of bits, of any length; negative ones as two's complement.

use num_bigint::{BigInt, Sign};
use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};

use super::numbers::{MOST_BITS, big_int_operand, from_integer};
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "bits.or(
            x: number, # an integer
            y: number # another integer
        ) => z: number # the bits that are set in either",
        "The bitwise \"or\" of two integers.",
        or,
    ),
    function(
        "bits.and(
            x: number, # an integer
            y: number # another integer
        ) => z: number # the bits that are set in both",
        "The bitwise \"and\" of two integers.",
        and,
    ),
    function(
        "bits.xor(
            x: number, # an integer
            y: number # another integer
        ) => z: number # the bits that are set in one of them",
        "The bitwise \"exclusive or\" of two integers.",
        xor,
    ),
    function(
        "bits.negate(x: number # an integer\n) => z: number # the bits that are not set in it",
        "Flips all bits of an integer.",
        negate,
    ),
    function(
        "bits.lsh(
            x: number, # an integer
            s: number # how many bits, 0 or more
        ) => z: number # `x` with its bits moved",
        "Moves the bits of an integer to the left.",
        shift_left,
    ),
    function(
        "bits.rsh(
            x: number, # an integer
            s: number # how many bits, 0 or more
        ) => z: number # `x` with its bits moved",
        "Moves the bits of an integer to the right.",
        shift_right,
    ),
];

fn binary(operands: Operands<'_>, run: fn(BigInt, BigInt) -> BigInt) -> Outcome {
    Ok(Some(from_integer(&run(big_int_operand(operands, 0)?, big_int_operand(operands, 1)?)).into()))
}

fn or(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    binary(operands, |x, y| x | y)
}

fn and(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    binary(operands, |x, y| x & y)
}

fn xor(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    binary(operands, |x, y| x ^ y)
}

fn negate(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(from_integer(&!big_int_operand(operands, 0)?).into()))
}

/// The integer and how far to shift it.
fn shifted(operands: Operands<'_>) -> Result<(BigInt, u64), BuiltinError> {
    let (int, by) = (big_int_operand(operands, 0)?, big_int_operand(operands, 1)?);
    if by.sign() == Sign::Minus {
        return Err(BuiltinError::operand(1, "must be an unsigned integer number but got a negative integer"));
    }
    Ok((int, u64::try_from(by).unwrap_or(u64::MAX)))
}

fn shift_left(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (int, by) = shifted(operands)?;
    if int.sign() != Sign::NoSign && int.bits().saturating_add(by) > MOST_BITS {
        return Err(BuiltinError::failed("the result is too large"));
    }
    Ok(Some(from_integer(&(int << by)).into()))
}

fn shift_right(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (int, by) = shifted(operands)?;
    let by = by.min(int.bits() + 1);
    Ok(Some(from_integer(&(int >> by)).into()))
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;

    #[test]
    fn bits_are_combined_and_moved() {
        check(&[
            ("bits.or", "[9, 3]", "11"),
            ("bits.and", "[7, 9.0]", "1"),
            ("bits.xor", "[42, 3]", "41"),
            ("bits.xor", "[10, -20]", "-26"),
            ("bits.negate", "[42]", "-43"),
            ("bits.negate", "[-9223372036854775809]", "9223372036854775808"),
            ("bits.lsh", "[1, 3]", "8"),
            ("bits.lsh", "[9223372036854775807, 1]", "18446744073709551614"),
            ("bits.lsh", "[0, 1e12]", "0"),
            ("bits.rsh", "[8, 3]", "1"),
            ("bits.rsh", "[-8, 100000000000000000000]", "-1"),
        ]);
    }

    #[test]
    fn operands_are_integers_and_shifts_go_one_way() {
        check(&[
            ("bits.or", "[7.2, 42]", "type error: operand 1 must be integer number but got floating-point number"),
            ("bits.or", "[7, 4.2]", "type error: operand 2 must be integer number but got floating-point number"),
            ("bits.negate", "[\"hi\"]", "type error: operand 1 must be integer but got string"),
            (
                "bits.rsh",
                "[7, -1]",
                "type error: operand 2 must be an unsigned integer number but got a negative integer",
            ),
            ("bits.lsh", "[1, 100000000000000000000]", "error: the result is too large"),
        ]);
    }
}
