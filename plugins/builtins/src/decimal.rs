//! Decimal numbers as text has them, with signs and leading zeros that JSON does not allow.

use num_bigint::BigUint;
use num_traits::{One, Zero};
use regent_core::value::Number;

/// The largest exponent of ten that is followed; a number beyond it is of no use to anybody and costly.
const MAX_EXPONENT: i64 = 1_000_000;
/// Digits before the point of the largest numbers that are computed with.
const MAX_MAGNITUDE: i64 = 19_000;

/// A decimal number taken apart: `digits × 10^exponent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) negative: bool,
    pub(super) digits: BigUint,
    pub(super) exponent: i64,
}

impl Decimal {
    /// Reads digits with an optional sign, point and exponent; at least one digit must be there. Nothing for any other
    /// text and for exponents beyond the useful.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = [whole, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = BigUint::parse_bytes(digits.as_bytes(), 10)?;
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let useful = digits.is_zero() || exponent.abs() <= MAX_EXPONENT;
        useful.then_some(Self { negative, exponent: if digits.is_zero() { 0 } else { exponent }, digits })
    }

    /// Numerator and denominator.
    pub(super) fn ratio(&self) -> (BigUint, BigUint) {
        let power = BigUint::from(10_u8).pow(u32::try_from(self.exponent.unsigned_abs()).unwrap_or(u32::MAX));
        if self.exponent < 0 { (self.digits.clone(), power) } else { (&self.digits * power, BigUint::one()) }
    }

    /// The number that functions compute with; nothing if it is larger than they can follow.
    pub(super) fn number(&self) -> Option<Number> {
        let digits = self.digits.to_string();
        let magnitude = self.exponent.checked_add(i64::try_from(digits.len()).ok()?)?;
        let sign = if self.negative { "-" } else { "" };
        (magnitude <= MAX_MAGNITUDE).then(|| Number::parse(&format!("{sign}{digits}e{}", self.exponent)).ok()).flatten()
    }
}

/// The integer towards zero.
pub(super) fn truncated(number: &Number) -> Number {
    if *number < Number::from(0_i64) { number.neg().floor().neg() } else { number.floor() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_floats_of_64_bits_beyond_the_integers() {
        let whole = |text: &str| Some(truncated(&Decimal::parse(text)?.number()?).to_literal().into_owned());
        assert_eq!(whole("123456789123456789123").as_deref(), Some("123456789123456789120"));
        assert_eq!(whole("-15.99").as_deref(), Some("-15"));
        assert_eq!(whole("-.5").as_deref(), Some("0"));
        assert_eq!(whole("+1e25").as_deref(), Some("10000000000000000000000000"));
        assert_eq!(whole("18446744073709551617").as_deref(), Some("18446744073709551616"));
        assert_eq!(whole("0e9999999").as_deref(), Some("0"));
        assert_eq!(whole("1e30000"), None);
        assert_eq!(whole("1.2.3"), None);
    }
}
