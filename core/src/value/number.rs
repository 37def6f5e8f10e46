//! Numbers: the spelling is kept, comparison is exact, arithmetic is OPA's.

mod arithmetic;
mod decimal;
mod float;
mod literal;
mod shortest;

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use arcstr::ArcStr;

pub use arithmetic::RemainderError;
use decimal::Decimal;

/// A number as JSON spells it.
///
/// `1`, `1.0` and `1e0` are equal and keep their own spelling. No precision is lost, whatever the length or exponent.
#[derive(Clone, Debug)]
pub struct Number(Spelling);

#[derive(Clone, Debug)]
pub(super) enum Spelling {
    /// An integer whose spelling is the canonical one.
    Int(i64),
    /// Any other spelling.
    Text(ArcStr),
}

/// The text is not a JSON number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a number")]
pub struct NumberError(pub String);

impl Number {
    /// Takes a JSON number literal.
    ///
    /// # Errors
    /// When the text is not a number as JSON spells it.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        if literal::is_literal(text.as_bytes()) {
            Ok(Self::from_literal(text))
        } else {
            Err(NumberError(text.to_owned()))
        }
    }

    /// Takes a text that is known to be a JSON number literal.
    pub(crate) fn from_literal(text: &str) -> Self {
        match text.parse::<i64>() {
            Ok(int) if text != "-0" => Self(Spelling::Int(int)),
            _ => Self(Spelling::Text(text.into())),
        }
    }

    /// Takes a literal that is not the canonical one of an `i64`.
    pub(super) fn from_text(text: ArcStr) -> Self {
        Self(Spelling::Text(text))
    }

    pub(super) fn into_spelling(self) -> Spelling {
        self.0
    }

    /// The number as it was spelled.
    pub fn to_literal(&self) -> std::borrow::Cow<'_, str> {
        match &self.0 {
            Spelling::Int(int) => int.to_string().into(),
            Spelling::Text(text) => text.as_str().into(),
        }
    }

    /// The number as an `i64`, if it is an integer in range, however it is spelled: 1000 for `1e3`.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Spelling::Int(int) => Some(*int),
            Spelling::Text(text) => Decimal::of(text).as_i64(),
        }
    }

    /// The number as an `i64`, if it is spelled as one, in digits and a sign only. Many built-in functions of OPA take
    /// no other integers: nothing for `1e3` and `1.0`.
    pub fn as_plain_i64(&self) -> Option<i64> {
        match &self.0 {
            Spelling::Int(int) => Some(*int),
            Spelling::Text(text) => (text == "-0").then_some(0),
        }
    }

    /// The nearest `f64`; infinite when the number is out of range.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
            Spelling::Int(int) => *int as f64,
            Spelling::Text(text) => text.parse().unwrap_or(f64::NAN),
        }
    }
}

impl From<i64> for Number {
    fn from(int: i64) -> Self {
        Self(Spelling::Int(int))
    }
}

impl From<u64> for Number {
    fn from(int: u64) -> Self {
        i64::try_from(int).map_or_else(|_| Self(Spelling::Text(int.to_string().into())), Self::from)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Spelling::Int(a), Spelling::Int(b)) => a.cmp(b),
            (Spelling::Text(a), Spelling::Text(b)) if a == b => Ordering::Equal,
            // Rounding keeps the order, so floats that differ tell it.
            _ => match self.as_f64().partial_cmp(&other.as_f64()) {
                Some(order @ (Ordering::Less | Ordering::Greater)) => order,
                _ => Decimal::of(&self.to_literal()).cmp(&Decimal::of(&other.to_literal())),
            },
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl Hash for Number {
    /// Equal numbers have the same nearest float, whatever their spelling.
    fn hash<S: Hasher>(&self, state: &mut S) {
        let float = self.as_f64();
        // The two zeros are equal, so they must be one here.
        state.write_u64(if float == 0.0 { 0 } else { float.to_bits() });
    }
}

impl std::fmt::Display for Number {
    /// The number as it was spelled.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.to_literal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).expect("a number")
    }

    #[test]
    fn spelling_is_kept() {
        for text in ["1", "1.0", "1E+3", "-0", "1e400", "123456789123456789123"] {
            assert_eq!(number(text).to_literal(), text);
        }
    }

    #[test]
    fn comparison_is_exact_whatever_the_spelling() {
        for (a, b) in [("1", "1.0"), ("1000", "1E+3"), ("-0", "0"), ("0.10", "1e-1"), ("0e5", "0")] {
            assert_eq!(number(a), number(b), "{a} = {b}");
        }
        let ordered = ["-1e400", "-2", "-1.5", "0", "1e-400", "0.1", "9007199254740992", "9007199254740993", "1e400"];
        for pair in ordered.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{} < {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn integers_are_found_under_any_spelling() {
        assert_eq!(number("1e3").as_i64(), Some(1000));
        assert_eq!(number("-9223372036854775808").as_i64(), Some(i64::MIN));
        assert_eq!(number("10.50").as_i64(), None);
        assert_eq!(number("1e30").as_i64(), None);
    }

    #[test]
    fn what_json_does_not_know_is_refused() {
        for text in ["", "-", "01", "+1", "1.", ".5", "1e", "0x1", "NaN", "1 "] {
            assert!(Number::parse(text).is_err(), "{text:?}");
        }
    }
}
