//! Floats of a 64-bit mantissa, rounded to the nearest, of two equally near ones to the even one. OPA computes in them.

use num_bigint::{BigInt, BigUint, Sign};

/// Largest power of two that counts in exponents. OPA's floats reach further, to 2^31, where each operation and each
/// number written out would take seconds and gigabytes.
const RANGE: i64 = 1 << 16;

/// Significant digits of a literal that are looked at; more than any number half-way between two floats has.
const DIGITS: usize = 90_000;

/// `mantissa × 2^exponent`. The mantissa's highest bit is set, but zero is all zero and has a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Float {
    pub(super) negative: bool,
    pub(super) mantissa: u64,
    pub(super) exponent: i64,
}

impl Float {
    pub(super) const ZERO: Self = Self { negative: false, mantissa: 0, exponent: 0 };

    pub(super) const HALF: Self = Self { negative: false, mantissa: 1 << 63, exponent: -64 };

    /// The float nearest to a JSON number literal. What is out of range becomes the largest float or zero.
    pub(super) fn of(literal: &str) -> Self {
        let (negative, rest) = literal.strip_prefix('-').map_or((false, literal), |rest| (true, rest));
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let exponent =
            exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 });
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = || whole.bytes().chain(fraction.bytes()).skip_while(|&digit| digit == b'0');
        let length = digits().count();
        let exponent = exponent.saturating_sub(fraction.len().try_into().unwrap_or(i64::MAX / 4));
        if length == 0 {
            return Self { negative, ..Self::ZERO };
        }
        let magnitude = exponent.saturating_add(length.try_into().unwrap_or(i64::MAX / 4));
        if magnitude.abs() > RANGE / 3 {
            return Self::beyond(negative, magnitude > 0);
        }
        if length <= 19 && exponent.abs() <= 27 {
            let digits = digits().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
            let power =
                Self::of_integer(false, 5_u64.pow(u32::try_from(exponent.abs()).expect("is at most 27")).into());
            let digits = Self::of_integer(negative, digits.into());
            let scaled = if exponent < 0 { digits.div(power) } else { digits.mul(power) };
            return Self { exponent: scaled.exponent + exponent, ..scaled };
        }
        let kept: Vec<u8> = digits().take(DIGITS).collect();
        let cut = digits().skip(DIGITS).any(|digit| digit != b'0');
        let exponent = exponent + i64::try_from(length - kept.len()).unwrap_or(i64::MAX / 4);
        let digits = BigUint::parse_bytes(&kept, 10).expect("are decimal digits");
        Self::scaled(negative, digits, exponent, cut)
    }

    /// `digits × 10^exponent`, or a little more if something was cut off.
    fn scaled(negative: bool, digits: BigUint, exponent: i64, cut: bool) -> Self {
        let power = BigUint::from(5_u8).pow(u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX));
        if exponent >= 0 {
            return Self::of_big(negative, &(digits * power), exponent, cut);
        }
        // Enough bits for the mantissa, and two more.
        let shift = (power.bits() + 66).saturating_sub(digits.bits());
        let digits = digits << shift;
        let quotient = &digits / &power;
        let inexact = cut || &quotient * &power != digits;
        Self::of_big(negative, &quotient, exponent - i64::try_from(shift).unwrap_or(i64::MAX / 4), inexact)
    }

    /// The float nearest to `number × 2^exponent`, or to a little more if `inexact`.
    fn of_big(negative: bool, number: &BigUint, exponent: i64, inexact: bool) -> Self {
        let excess = number.bits().saturating_sub(128);
        let inexact = inexact || number.trailing_zeros().is_some_and(|zeros| zeros < excess);
        let kept = number >> excess;
        let mut highest = kept.iter_u64_digits();
        let low = u128::from(highest.next().unwrap_or(0));
        let high = u128::from(highest.next().unwrap_or(0));
        Self::rounded(negative, high << 64 | low, exponent + i64::try_from(excess).unwrap_or(i64::MAX / 4), inexact)
    }

    /// The float nearest to an integer.
    pub(super) fn of_integer(negative: bool, magnitude: u128) -> Self {
        Self::rounded(negative, magnitude, 0, false)
    }

    /// The float nearest to `number × 2^exponent`, or to a little more if `inexact`.
    fn rounded(negative: bool, number: u128, exponent: i64, inexact: bool) -> Self {
        if number == 0 {
            return Self { negative, ..Self::ZERO };
        }
        let zeros = number.leading_zeros();
        let number = number << zeros;
        let exponent = exponent - i64::from(zeros) + 64;
        let [mantissa, rest] = [number >> 64, number & u128::from(u64::MAX)]
            .map(|half| u64::try_from(half).expect("is a half of 128 bits"));
        let half = 1 << 63;
        let up = rest > half || rest == half && (inexact || mantissa % 2 == 1);
        let float = match mantissa.checked_add(u64::from(up)) {
            Some(mantissa) => Self { negative, mantissa, exponent },
            None => Self { negative, mantissa: half, exponent: exponent + 1 },
        };
        if float.exponent.abs() > RANGE { Self::beyond(negative, float.exponent > 0) } else { float }
    }

    /// Stands for what is out of range: the largest float or zero.
    fn beyond(negative: bool, large: bool) -> Self {
        if large { Self { negative, mantissa: u64::MAX, exponent: RANGE } } else { Self { negative, ..Self::ZERO } }
    }

    pub(super) fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    pub(super) fn is_integer(self) -> bool {
        self.is_zero() || -self.exponent <= i64::from(self.mantissa.trailing_zeros())
    }

    #[must_use]
    pub(super) fn neg(self) -> Self {
        Self { negative: !self.negative, ..self }
    }

    /// The sum.
    #[must_use]
    pub(super) fn add(self, other: Self) -> Self {
        if self.is_zero() && other.is_zero() {
            return Self { negative: self.negative && other.negative, ..Self::ZERO };
        }
        if other.is_zero() {
            return self;
        }
        if self.is_zero() {
            return other;
        }
        let (large, small) = if (self.exponent, self.mantissa) >= (other.exponent, other.mantissa) {
            (self, other)
        } else {
            (other, self)
        };
        let distance = u32::try_from(large.exponent - small.exponent).unwrap_or(u32::MAX);
        let [high, low] = [large, small].map(|float| u128::from(float.mantissa) << 63);
        let shifted = low.checked_shr(distance).unwrap_or(0);
        let inexact = shifted.checked_shl(distance).unwrap_or(0) != low;
        let sum = if large.negative == small.negative {
            high + shifted
        } else {
            // What was shifted out is missing from the difference, which lies between this and the next integer.
            high - shifted - u128::from(inexact)
        };
        Self::rounded(large.negative && sum != 0, sum, large.exponent - 63, inexact)
    }

    /// The product.
    #[must_use]
    pub(super) fn mul(self, other: Self) -> Self {
        let product = u128::from(self.mantissa) * u128::from(other.mantissa);
        Self::rounded(self.negative != other.negative, product, self.exponent + other.exponent, false)
    }

    /// The quotient. The divisor is not zero.
    #[must_use]
    pub(super) fn div(self, divisor: Self) -> Self {
        let by = u128::from(divisor.mantissa);
        let dividend = u128::from(self.mantissa) << 64;
        let rest = (dividend % by) << 1;
        // One bit more than 64, for the rounding.
        let quotient = ((dividend / by) << 1) + u128::from(rest >= by);
        let inexact = rest != 0 && rest != by;
        Self::rounded(self.negative != divisor.negative, quotient, self.exponent - divisor.exponent - 65, inexact)
    }

    /// The integer next to it in the direction of zero.
    pub(super) fn truncated(self) -> BigInt {
        let magnitude = BigUint::from(self.mantissa);
        let shift = self.exponent.unsigned_abs();
        let magnitude = if self.exponent < 0 { magnitude >> shift } else { magnitude << shift };
        BigInt::from_biguint(if self.negative { Sign::Minus } else { Sign::Plus }, magnitude)
    }

    /// The number, if it is an integer of 64 bits. The sign of zero is lost.
    pub(super) fn as_i64(self) -> Option<i64> {
        if !self.is_integer() || self.exponent > 0 {
            return None;
        }
        let magnitude = i128::from(self.mantissa.checked_shr(u32::try_from(-self.exponent).ok()?).unwrap_or(0));
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }
}

#[cfg(test)]
mod tests;
