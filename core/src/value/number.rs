//! Numbers: the spelling is kept, comparison is exact.

use std::cmp::Ordering;
use std::sync::Arc;

/// A number as JSON spells it.
///
/// `1`, `1.0` and `1e0` are equal and keep their own spelling. No precision is lost, whatever the length or exponent.
#[derive(Clone, Debug)]
pub struct Number(Repr);

#[derive(Clone, Debug)]
enum Repr {
    /// An integer whose spelling is the canonical one.
    Int(i64),
    /// Any other spelling.
    Text(Arc<str>),
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
        if is_literal(text.as_bytes()) { Ok(Self::from_literal(text)) } else { Err(NumberError(text.to_owned())) }
    }

    /// Takes a text that is known to be a JSON number literal.
    pub(crate) fn from_literal(text: &str) -> Self {
        match text.parse::<i64>() {
            Ok(int) if text != "-0" => Self(Repr::Int(int)),
            _ => Self(Repr::Text(text.into())),
        }
    }

    /// The number as it was spelled.
    pub fn to_literal(&self) -> std::borrow::Cow<'_, str> {
        match &self.0 {
            Repr::Int(int) => int.to_string().into(),
            Repr::Text(text) => (&**text).into(),
        }
    }

    /// The number as an `i64`, if it is an integer in range, however it is spelled.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(int) => Some(*int),
            Repr::Text(text) => Decimal::of(text).as_i64(),
        }
    }

    /// The nearest `f64`; infinite when the number is out of range.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
            Repr::Int(int) => *int as f64,
            Repr::Text(text) => text.parse().unwrap_or(f64::NAN),
        }
    }
}

impl From<i64> for Number {
    fn from(int: i64) -> Self {
        Self(Repr::Int(int))
    }
}

impl From<u64> for Number {
    fn from(int: u64) -> Self {
        i64::try_from(int).map_or_else(|_| Self(Repr::Text(int.to_string().into())), Self::from)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) => a.cmp(b),
            _ => Decimal::of(&self.to_literal()).cmp(&Decimal::of(&other.to_literal())),
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

/// A number taken apart: `0.DIGITS × 10^exponent`, without zeros at either end of the digits; zero has no digits.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    exponent: i64,
    digits: Vec<u8>,
}

impl Decimal {
    fn of(literal: &str) -> Self {
        let (negative, rest) = literal.strip_prefix('-').map_or((false, literal), |rest| (true, rest));
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        // An exponent beyond i64 is beyond every other number too, so saturation keeps the order.
        let exponent: i64 =
            exponent.parse().unwrap_or(if exponent.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 });
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let leading = all.iter().take_while(|&&d| d == b'0').count();
        let end = all.iter().rposition(|&d| d != b'0').map_or(leading, |last| last + 1);
        let digits = all[leading..end].to_vec();
        if digits.is_empty() {
            return Self { negative: false, exponent: 0, digits };
        }
        let point = i64::try_from(whole.len()).unwrap_or(i64::MAX / 4) - i64::try_from(leading).unwrap_or(0);
        Self { negative, exponent: exponent.saturating_add(point), digits }
    }

    fn as_i64(&self) -> Option<i64> {
        let length = i64::try_from(self.digits.len()).ok()?;
        if self.digits.is_empty() {
            return Some(0);
        }
        if self.exponent < length || self.exponent > 19 {
            return None;
        }
        let mut text = String::from_utf8(self.digits.clone()).ok()?;
        text.extend(std::iter::repeat_n('0', usize::try_from(self.exponent - length).ok()?));
        if self.negative { format!("-{text}").parse().ok() } else { text.parse().ok() }
    }

    fn signum(&self) -> i8 {
        if self.digits.is_empty() {
            0
        } else if self.negative {
            -1
        } else {
            1
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = || self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        self.signum().cmp(&other.signum()).then_with(|| match self.signum() {
            1 => magnitude(),
            -1 => magnitude().reverse(),
            _ => Ordering::Equal,
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Whether the bytes are exactly one JSON number.
fn is_literal(text: &[u8]) -> bool {
    literal_length(text) == Some(text.len())
}

/// The length of the JSON number that the bytes begin with.
fn literal_length(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(text.first() == Some(&b'-'));
    match text.get(at) {
        Some(b'0') => at += 1,
        Some(b'1'..=b'9') => at += digits(at),
        _ => return None,
    }
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return None;
        }
        at += 1 + sign + exponent;
    }
    Some(at)
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
