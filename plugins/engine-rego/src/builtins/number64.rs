//! Floats with a mantissa of 64 bits, which is how OPA computes where integers do not do.

use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{One, Zero};

/// The largest exponent of ten that is followed; a number beyond it is of no use to anybody and costly.
const MAX_EXPONENT: i64 = 1_000_000;

/// `mantissa × 2^exponent`, the mantissa of at most 64 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Float64 {
    negative: bool,
    mantissa: BigUint,
    exponent: i64,
}

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
}

impl Float64 {
    /// The nearest float to a decimal text, if it is one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let decimal = Decimal::parse(text)?;
        let (numerator, denominator) = decimal.ratio();
        if numerator.is_zero() {
            return Some(Self { negative: decimal.negative, mantissa: numerator, exponent: 0 });
        }
        // Enough bits of quotient for 64 and two more; a remainder only tells that it lies above.
        let lack = 66 + i64::try_from(denominator.bits()).ok()? - i64::try_from(numerator.bits()).ok()?;
        let shift = u64::try_from(lack.max(0)).ok()?;
        let numerator = numerator << shift;
        let quotient = &numerator / &denominator;
        let sticky = &quotient * &denominator != numerator;
        let exponent = -i64::try_from(shift).ok()?;
        let widened = (quotient << 1_u8) + BigUint::from(u8::from(sticky));
        Some(Self { negative: decimal.negative, mantissa: widened, exponent: exponent - 1 }.rounded())
    }

    /// The product with an integer.
    pub(super) fn times(self, factor: u64) -> Self {
        Self { mantissa: self.mantissa * factor, ..self }.rounded()
    }

    /// The integer towards zero.
    pub(super) fn truncated(&self) -> BigInt {
        let sign = if self.negative { Sign::Minus } else { Sign::Plus };
        let shift = self.exponent.unsigned_abs();
        let whole = if self.exponent < 0 { &self.mantissa >> shift } else { &self.mantissa << shift };
        BigInt::from_biguint(if whole.is_zero() { Sign::NoSign } else { sign }, whole)
    }

    /// Half-way cases go to the even neighbour.
    fn rounded(self) -> Self {
        let excess = self.mantissa.bits().saturating_sub(64);
        if excess == 0 {
            return self;
        }
        let kept = &self.mantissa >> excess;
        let lost = &self.mantissa - (&kept << excess);
        let half = BigUint::one() << (excess - 1);
        let up = lost > half || (lost == half && kept.bit(0));
        let exponent = self.exponent + i64::try_from(excess).unwrap_or(i64::MAX);
        Self { negative: self.negative, mantissa: kept + u8::from(up), exponent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_64_bits() {
        let whole = |text: &str| Float64::parse(text).map(|float| float.truncated()).map(|whole| whole.to_string());
        assert_eq!(whole("123456789123456789123").as_deref(), Some("123456789123456789120"));
        assert_eq!(whole("-15.99").as_deref(), Some("-15"));
        assert_eq!(whole("1e25").as_deref(), Some("10000000000000000000000000"));
        assert_eq!(whole("18446744073709551617").as_deref(), Some("18446744073709551616"));
        assert_eq!(whole("0e9999999").as_deref(), Some("0"));
        assert_eq!(whole("1.2.3"), None);
    }
}
