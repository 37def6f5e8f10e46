//! Ranges of integers.

use num_bigint::{BigInt, Sign};
use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::engine::Cancel;
use regent_core::value::Value;

use super::numbers::{big_int_operand, from_integer};
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "numbers.range(
            a: number, # where it starts
            b: number # where it ends
        ) => range: array[number] # the integers from `a` to `b`, both included",
        "The integers between two integers, downwards if the first one is greater.",
        range,
    ),
    function(
        "numbers.range_step(
            a: number, # where it starts
            b: number, # where it ends
            step: number # how far it is from one to the next, 1 or more
        ) => range: array[number] # the integers from `a` to `b`",
        "Integers from one integer to another at equal steps, downwards if the first one is greater.",
        range_step,
    ),
];

/// More numbers than that fill the memory.
const MOST: usize = 1 << 25;

fn range(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (from, to) = (big_int_operand(operands, 0)?, big_int_operand(operands, 1)?);
    generate(&from, &to, BigInt::from(1), call.cancel)
}

fn range_step(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (from, to) = (big_int_operand(operands, 0)?, big_int_operand(operands, 1)?);
    let step = big_int_operand(operands, 2)?;
    if step.sign() != Sign::Plus {
        return Err(BuiltinError::failed("numbers.range_step: step must be a positive integer"));
    }
    generate(&from, &to, step, call.cancel)
}

fn generate(from: &BigInt, to: &BigInt, step: BigInt, cancel: &Cancel) -> Outcome {
    let last = (to - from) / &step;
    let count = usize::try_from(last.magnitude()).ok().filter(|count| *count < MOST);
    let count = count.ok_or_else(|| BuiltinError::failed("too many numbers in range"))? + 1;
    let step = if to < from { -step } else { step };
    let mut numbers = Vec::with_capacity(count);
    if let (Ok(first), Ok(step), Ok(_)) = (i64::try_from(from), i64::try_from(&step), i64::try_from(to)) {
        let mut next = first;
        collect(&mut numbers, count, cancel, || {
            let current = next;
            next = next.wrapping_add(step);
            current.into()
        })?;
    } else {
        let mut next = from.clone();
        collect(&mut numbers, count, cancel, || {
            let current = from_integer(&next).into();
            next += &step;
            current
        })?;
    }
    Ok(Some(numbers.into()))
}

fn collect(
    numbers: &mut Vec<Value>,
    count: usize,
    cancel: &Cancel,
    mut next: impl FnMut() -> Value,
) -> Result<(), BuiltinError> {
    while numbers.len() < count {
        if cancel.is_cancelled() {
            return Err(BuiltinError::Cancelled);
        }
        numbers.extend(std::iter::repeat_with(&mut next).take((count - numbers.len()).min(1024)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;
    use super::super::testing::Query;
    use super::*;

    #[test]
    fn ranges_go_up_and_down() {
        check(&[
            ("numbers.range", "[1, 1]", "[1]"),
            ("numbers.range", "[2.0, -1]", "[2, 1, 0, -1]"),
            (
                "numbers.range",
                "[9223372036854775806, 9223372036854775808]",
                "[9223372036854775806, 9223372036854775807, 9223372036854775808]",
            ),
            ("numbers.range", "[9223372036854775807, 9223372036854775807]", "[9223372036854775807]"),
            ("numbers.range_step", "[0, 10, 2]", "[0, 2, 4, 6, 8, 10]"),
            ("numbers.range_step", "[5, 2, 2]", "[5, 3]"),
            ("numbers.range_step", "[0, 10, 99999999999999999999]", "[0]"),
        ]);
    }

    #[test]
    fn operands_are_integers_and_steps_positive() {
        let no_integer = "must be integer number but got floating-point number";
        let positive = "error: numbers.range_step: step must be a positive integer";
        check(&[
            ("numbers.range", "[3.14, 4]", &format!("type error: operand 1 {no_integer}")),
            ("numbers.range", "[3, 3.14]", &format!("type error: operand 2 {no_integer}")),
            ("numbers.range", "[3, \"4\"]", "type error: operand 2 must be integer but got string"),
            ("numbers.range_step", "[0, 10, 0]", positive),
            ("numbers.range_step", "[0, 10, -2]", positive),
            ("numbers.range_step", "[0, 10, 0.5]", &format!("type error: operand 3 {no_integer}")),
        ]);
    }

    #[test]
    fn endless_ranges_end() {
        check(&[("numbers.range", "[0, 1000000000000]", "error: too many numbers in range")]);
        let cancelled = Query::cancelled().call("numbers.range", "[0, 20000000]");
        assert_eq!(cancelled, Err(BuiltinError::Cancelled));
    }
}
