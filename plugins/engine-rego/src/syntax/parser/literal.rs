//! Numbers and strings.

use regent_core::Value;
use regent_core::value::Number;

use super::Parser;
use crate::syntax::ast::Term;
use crate::syntax::token::Token;

/// The largest power of two that a number may have as its magnitude, and the smallest when negated.
const MAX_EXPONENT: f64 = 1e5;

impl Parser {
    /// A number with its sign; afterwards the token is its last one.
    pub(super) fn number(&mut self) -> Option<Term> {
        let start = self.place();
        let mut text = String::new();
        if self.token() == Token::Sub {
            text.push('-');
            self.scan();
            if !matches!(self.token(), Token::Number | Token::Dot) {
                self.illegal("expected number");
                return None;
            }
        }
        let fraction = self.token() == Token::Dot;
        if fraction {
            text.push_str("0.");
            self.scan();
            if self.token() != Token::Number {
                self.illegal("expected number");
                return None;
            }
        }
        if !fraction && has_leading_zero(self.literal()) {
            self.illegal("expected number without leading zero");
            return None;
        }
        text.push_str(self.literal());
        let Ok(number) = Number::parse(&text) else {
            self.illegal("invalid float");
            return None;
        };
        match binary_exponent(&text) {
            None => self.illegal("invalid float"),
            Some(exponent) if exponent.abs() > MAX_EXPONENT => self.error(self.place(), "number too big"),
            Some(_) => return Some(Term::scalar(Value::from(number), self.span(start))),
        }
        None
    }

    /// A string in quotes or backticks.
    pub(super) fn string(&mut self) -> Option<Term> {
        let literal = self.literal();
        let Some(quoted) = literal.strip_prefix('"') else {
            let text = literal.get(1..literal.len().saturating_sub(1)).unwrap_or_default();
            return Some(Term::scalar(text, self.span(self.place())));
        };
        let inner = quoted.strip_suffix('"').unwrap_or(quoted);
        let Some(text) = unescape(inner) else {
            let message = format!("illegal string literal: {literal}");
            self.error(self.place(), message);
            return None;
        };
        Some(Term::scalar(text, self.span(self.place())))
    }
}

fn has_leading_zero(literal: &str) -> bool {
    match literal.as_bytes() {
        [b'0', b'.', ..] | [b'0', b'e' | b'E', _, ..] => false,
        [b'0', _, ..] => true,
        _ => false,
    }
}

/// The exponent of the number as `mantissa × 2^exponent` with a mantissa from a half to one; 0 for zero. Nothing if the
/// text's own exponent exceeds what OPA can read.
fn binary_exponent(literal: &str) -> Option<f64> {
    let literal = literal.trim_start_matches('-');
    let (mantissa, exponent) = literal.split_once(['e', 'E']).unwrap_or((literal, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = whole.bytes().chain(fraction.bytes());
    let zeros = digits.clone().take_while(|&digit| digit == b'0').count();
    let leading = digits.skip(zeros).take(17).fold(String::from("0."), |mut text, digit| {
        text.push(char::from(digit));
        text
    });
    let leading: f64 = leading.parse().unwrap_or_default();
    if leading == 0.0 {
        return Some(0.0);
    }
    #[expect(clippy::cast_precision_loss, reason = "far beyond the limit where it loses any")]
    let decimal = exponent as f64 + whole.len() as f64 - zeros as f64;
    Some((leading.log2() + decimal * std::f64::consts::LOG2_10).floor() + 1.0)
}

/// The text of a JSON string without its quotes. Without a backslash anything goes; with one the rules of JSON hold.
pub(super) fn unescape(inner: &str) -> Option<String> {
    if !inner.contains('\\') {
        return Some(inner.to_owned());
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(next) = rest.next() {
        match next {
            '\\' => text.push(escaped(&mut rest)?),
            '"' | '\0'..='\x1f' => return None,
            other => text.push(other),
        }
    }
    Some(text)
}

/// The character that an escape stands for.
fn escaped(rest: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => unicode(rest)?,
        same @ ('"' | '\\' | '/') => same,
        _ => return None,
    })
}

/// `XXXX` or `XXXX\uXXXX`; half a pair is taken for the replacement character.
fn unicode(rest: &mut std::str::Chars<'_>) -> Option<char> {
    let first = hex(rest)?;
    if let 0xd800..=0xdbff = first {
        let mut ahead = rest.clone();
        if ahead.next() == Some('\\') && ahead.next() == Some('u') {
            let second = hex(&mut ahead)?;
            if let 0xdc00..=0xdfff = second {
                *rest = ahead;
                return char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
        }
    }
    Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn hex(rest: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |number, _| Some(number * 16 + rest.next()?.to_digit(16)?))
}
