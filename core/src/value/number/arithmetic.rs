//! Arithmetic as OPA does it: on integers of 64 bits exactly, otherwise in floats of a 64-bit mantissa.

use num_bigint::{BigInt, BigUint, Sign};

use super::float::Float;
use super::{Number, Spelling, shortest};

/// Integers between these bounds, exclusive, are computed with as integers even where floats would give `-0`.
const SMALL: i64 = 1000;

/// Why there is no remainder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RemainderError {
    /// The divisor is zero.
    #[error("modulo by zero")]
    Zero,
    /// An operand is not an integer.
    #[error("modulo on floating-point number")]
    Fraction,
}

impl Number {
    fn float(&self) -> Float {
        match &self.0 {
            Spelling::Int(int) => Float::of_integer(*int < 0, int.unsigned_abs().into()),
            Spelling::Text(text) => Float::of(text),
        }
    }

    fn of_float(float: Float) -> Self {
        match float.as_i64() {
            Some(int) if int != 0 || !float.negative => int.into(),
            _ => Self(Spelling::Text(shortest::spelled(float).into())),
        }
    }

    /// Both numbers, if they are integers that OPA computes with as such.
    fn both_small(&self, other: &Self) -> Option<(i64, i64)> {
        let small = |number: &Self| number.as_plain_i64().filter(|int| -SMALL < *int && *int < SMALL);
        Some((small(self)?, small(other)?))
    }

    /// The integers of an operation whose result is the same whether it is computed in integers or floats, as long as it
    /// does not overflow.
    fn both_plain(&self, other: &Self) -> Option<(i64, i64)> {
        match (&self.0, &other.0) {
            (Spelling::Int(a), Spelling::Int(b)) => Some((*a, *b)),
            _ => self.both_small(other),
        }
    }

    /// The sum. Like all results, it is spelled as OPA spells it: integers in digits, whatever their size, fractions
    /// with few digits plainly, others with an exponent.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        let exact = self.both_plain(other).and_then(|(a, b)| a.checked_add(b));
        exact.map_or_else(|| Self::of_float(self.float().add(other.float())), Self::from)
    }

    /// The difference.
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        let exact = self.both_plain(other).and_then(|(a, b)| a.checked_sub(b));
        exact.map_or_else(|| Self::of_float(self.float().add(other.float().neg())), Self::from)
    }

    /// The product. As in OPA, zero times a negative number beyond ±1000 is `-0`.
    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        if let Some((a, b)) = self.both_small(other) {
            return (a * b).into();
        }
        let exact = self.both_plain(other).and_then(|(a, b)| a.checked_mul(b)).filter(|product| *product != 0);
        exact.map_or_else(|| Self::of_float(self.float().mul(other.float())), Self::from)
    }

    /// The quotient; nothing when the divisor is zero. As in OPA, zero by a negative number is `-0`.
    #[must_use]
    pub fn div(&self, divisor: &Self) -> Option<Self> {
        if let (Spelling::Int(a), Spelling::Int(b)) = (&self.0, &divisor.0)
            && *a != 0
            && a.checked_rem(*b) == Some(0)
            && let Some(quotient) = a.checked_div(*b)
        {
            return Some(quotient.into());
        }
        let divisor = divisor.float();
        (!divisor.is_zero()).then(|| Self::of_float(self.float().div(divisor)))
    }

    /// The remainder of the division that rounds to zero; it has the sign of the dividend. Integers of more than 64 bits
    /// are rounded to 64 significant ones first.
    ///
    /// # Errors
    /// When the divisor is zero or a number is not an integer.
    pub fn rem(&self, divisor: &Self) -> Result<Self, RemainderError> {
        if let (Spelling::Int(a), Spelling::Int(b)) = (&self.0, &divisor.0)
            && *b != 0
        {
            return Ok(a.wrapping_rem(*b).into());
        }
        let (Some(dividend), Some(divisor)) = (self.to_bigint(), divisor.to_bigint()) else {
            return Err(RemainderError::Fraction);
        };
        if divisor.sign() == Sign::NoSign { Err(RemainderError::Zero) } else { Ok((dividend % divisor).into()) }
    }

    /// The number with the other sign, otherwise spelled as it was. Zero stays zero.
    #[must_use]
    pub fn neg(&self) -> Self {
        match &self.0 {
            Spelling::Int(int) => int.checked_neg().map_or_else(|| self.abs(), Self::from),
            Spelling::Text(text) => {
                Self::from_literal(&text.strip_prefix('-').map_or_else(|| format!("-{text}"), str::to_owned))
            }
        }
    }

    /// The number without its sign.
    #[must_use]
    pub fn abs(&self) -> Self {
        match &self.0 {
            Spelling::Int(int) => int.unsigned_abs().into(),
            Spelling::Text(_) => Self::of_float(Float { negative: false, ..self.float() }),
        }
    }

    /// The nearest integer; of two equally near ones that further from zero.
    #[must_use]
    pub fn round(&self) -> Self {
        self.to_integer(|float| {
            let half = Float { negative: float.negative, ..Float::HALF };
            float.add(half).truncated()
        })
    }

    /// The least integer that is not less. As in OPA, that is 1 for numbers between -1 and 0.
    #[must_use]
    pub fn ceil(&self) -> Self {
        self.to_integer(|float| {
            let whole = float.truncated();
            if float.is_integer() || whole.sign() == Sign::Minus { whole } else { whole + 1 }
        })
    }

    /// The greatest integer that is not greater. As in OPA, that is 0 for numbers between -1 and 0.
    #[must_use]
    pub fn floor(&self) -> Self {
        self.to_integer(|float| {
            let whole = float.truncated();
            if float.is_integer() || whole.sign() != Sign::Minus { whole } else { whole - 1 }
        })
    }

    fn to_integer(&self, rounded: impl FnOnce(Float) -> BigInt) -> Self {
        match &self.0 {
            Spelling::Int(int) => (*int).into(),
            Spelling::Text(_) => rounded(self.float()).into(),
        }
    }

    /// Whether OPA takes it for an integer: after rounding to 64 significant bits, whatever the spelling.
    pub fn is_integer(&self) -> bool {
        matches!(self.0, Spelling::Int(_)) || self.float().is_integer()
    }

    /// The integer, as OPA's functions on integers see it: rounded to 64 significant bits, whatever the spelling;
    /// nothing if that is not an integer.
    pub fn to_bigint(&self) -> Option<BigInt> {
        match &self.0 {
            Spelling::Int(int) => Some((*int).into()),
            Spelling::Text(_) => Some(self.float()).filter(|float| float.is_integer()).map(Float::truncated),
        }
    }

    /// The number of a 64-bit float, integers in digits where an `i64` holds them, others as Go's verb `%g`; nothing for
    /// infinities and what is not a number.
    pub fn from_f64(float: f64) -> Option<Self> {
        if !float.is_finite() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "is checked by the way back")]
        let int = float as i64;
        let number = Self::from(int);
        let same = number.as_f64().to_bits() == float.to_bits() && int != i64::MAX;
        Some(if same { number } else { Self::from_literal(&shortest::spelled_f64(float)) })
    }
}

impl From<BigInt> for Number {
    /// The integer in digits, all of them.
    fn from(int: BigInt) -> Self {
        i64::try_from(&int).map_or_else(|_| Self(Spelling::Text(int.to_string().into())), Self::from)
    }
}

impl From<BigUint> for Number {
    fn from(int: BigUint) -> Self {
        BigInt::from(int).into()
    }
}

#[cfg(test)]
mod tests;
