//! Integers among operands, and the size that they may have.

use num_bigint::BigInt;
use regent_core::builtin::{BuiltinError, Operands};
use regent_core::value::{Number, Value};

/// Integers do not grow beyond that many bits: the time to write them down grows with the square.
pub(super) const MOST_BITS: u64 = 1 << 17;

/// An integer of any size, however it is spelled.
///
/// # Errors
/// `operand 1 must be integer but got string`, `operand 1 must be integer number but got floating-point number`
pub(super) fn big_int_operand(operands: Operands<'_>, position: usize) -> Result<BigInt, BuiltinError> {
    let Some(number) = operands.any(position).as_number() else {
        return Err(operands.must_be(position, "integer"));
    };
    integer(&number)
        .ok_or_else(|| BuiltinError::operand(position, "must be integer number but got floating-point number"))
}

/// The integer, if it is spelled as one: `1`, not `1.0` or `1e0`.
pub(super) fn spelled_int(number: &Number) -> Option<i64> {
    let int = number.as_i64()?;
    number.to_literal().bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()).then_some(int)
}

/// The item of an array at the index that the value is, if it is one and in range.
pub(super) fn item_at<'a>(items: &'a [Value], index: &Value) -> Option<&'a Value> {
    items.get(usize::try_from(spelled_int(&index.as_number()?)?).ok()?)
}

/// The integer, however it is spelled; nothing for one that is too long to calculate with.
pub(super) fn integer(number: &Number) -> Option<BigInt> {
    number.as_i64().map(BigInt::from).or_else(|| number.to_bigint())
}

/// The number that the integer is.
pub(super) fn from_integer(int: &BigInt) -> Number {
    i64::try_from(int).map_or_else(|_| Number::parse(&int.to_string()).expect("digits are a number"), Number::from)
}
