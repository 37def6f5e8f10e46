//! Numbers as Go's `strconv.ParseFloat` reads them: more than JSON allows.

use regent_core::value::Number;

/// Why a text is no number, in Go's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("invalid syntax")]
    Syntax,
    #[error("value out of range")]
    Range,
}

/// The number that the text spells. It keeps its spelling if that is JSON's.
pub(super) fn parse(text: &str) -> Result<Number, Problem> {
    let (sign, unsigned) = match text.as_bytes().first() {
        Some(b'-') => ("-", &text[1..]),
        Some(b'+') => ("", &text[1..]),
        _ => ("", text),
    };
    if let Some(digits) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let value = hexadecimal(&without_underscores(digits, true, u8::is_ascii_hexdigit)?)?;
        return Number::parse(&format!("{sign}{value}")).map_err(|_| Problem::Range);
    }
    let number = decimal(sign, &without_underscores(unsigned, false, u8::is_ascii_digit)?)?;
    if number.as_f64().is_infinite() { Err(Problem::Range) } else { Ok(number) }
}

/// Underscores may stand between digits, and behind the `0x`.
fn without_underscores(text: &str, prefixed: bool, is_digit: fn(&u8) -> bool) -> Result<String, Problem> {
    let bytes = text.as_bytes();
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_') {
        let before = at.checked_sub(1).map_or(prefixed, |before| is_digit(&bytes[before]));
        if !before || !bytes.get(at + 1).is_some_and(is_digit) {
            return Err(Problem::Syntax);
        }
    }
    Ok(text.replace('_', ""))
}

/// `12`, `12.`, `.5`, `1e3`; leading zeros do not matter.
fn decimal(sign: &str, unsigned: &str) -> Result<Number, Problem> {
    let (mantissa, exponent) = unsigned.find(['e', 'E']).map_or((unsigned, ""), |at| unsigned.split_at(at));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(Problem::Syntax);
    }
    let digits = whole.trim_start_matches('0');
    // Nothing is left of `0` and of `.5`.
    let whole = if digits.is_empty() { "0" } else { digits };
    let point = if fraction.is_empty() { "" } else { "." };
    Number::parse(&format!("{sign}{whole}{point}{fraction}{exponent}")).map_err(|_| Problem::Syntax)
}

/// `1.8p-3`: digits of base 16, then a power of two.
fn hexadecimal(text: &str) -> Result<f64, Problem> {
    let (mantissa, exponent) = text.split_once(['p', 'P']).ok_or(Problem::Syntax)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let is_exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent).bytes().all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || !is_exponent || !exponent.ends_with(|c: char| c.is_ascii_digit()) {
        return Err(Problem::Syntax);
    }
    let mut value = 0.0;
    for digit in digits.chars() {
        value = value * 16.0 + f64::from(digit.to_digit(16).ok_or(Problem::Syntax)?);
    }
    // Beyond these bounds the exponent alone decides.
    let exponent: i32 = exponent.parse().unwrap_or(if exponent.starts_with('-') { i32::MIN } else { i32::MAX });
    let places = i32::try_from(fraction.len()).unwrap_or(i32::MAX).saturating_mul(4);
    let value = value * 2.0_f64.powi(exponent.saturating_sub(places));
    if value.is_finite() { Ok(value) } else { Err(Problem::Range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_reads_more_than_json() {
        let cases = [
            ("1.0e3", "1.0e3"),
            ("007", "7"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-0", "-0"),
            ("+1_000", "1000"),
            ("0x10p0", "16"),
            ("-0X_1.8p-1", "-0.75"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).map(|number| number.to_literal().into_owned()), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "+", ".", "e5", "1e", "1e+", "--1", " 1", "1 ", "_1", "1__0", "1_", "0x10", "0xp1", "1é", "é"]
        {
            assert_eq!(parse(text).map_err(|problem| problem == Problem::Syntax), Err(true), "{text}");
        }
        assert_eq!(parse("1e400").map_err(|problem| problem == Problem::Range), Err(true));
        assert_eq!(parse("0x1p99999999999").map_err(|problem| problem == Problem::Range), Err(true));
    }
}
