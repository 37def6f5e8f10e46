//! What a scalar means under YAML 1.1 as Go's yaml.v2 reads it.

use super::base64;
use crate::value::{Number, Value};

/// A scalar whose type is decided.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(Number),
    Float(Number),
    /// Infinity or not-a-number, by the name that Go gives it; JSON has no word for it.
    NonFinite(&'static str),
    Text(String),
}

/// The tag of a scalar, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// No tag on a plain scalar, or the tag `!`: the text decides.
    Untyped,
    Str,
    Bool,
    Int,
    Float,
    Null,
    Binary,
}

impl Tag {
    /// From the name after `!!`. An unknown tag makes a string.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "null" => Self::Null,
            "binary" => Self::Binary,
            _ => Self::Str,
        }
    }
}

/// Decides what the text is, or says why it cannot be what its tag demands.
pub(super) fn resolve(text: &str, tag: Tag) -> Result<Scalar, String> {
    match tag {
        Tag::Str => return Ok(Scalar::Text(text.to_owned())),
        Tag::Binary => return base64::text(text).map(Scalar::Text),
        _ => {}
    }
    let scalar = plain(text);
    match (tag, scalar) {
        (Tag::Untyped, any) => Ok(any),
        (Tag::Bool, Scalar::Bool(truth)) => Ok(Scalar::Bool(truth)),
        (Tag::Int, Scalar::Int(number)) => Ok(Scalar::Int(number)),
        (Tag::Float, Scalar::Int(number) | Scalar::Float(number)) => Ok(Scalar::Float(number)),
        (Tag::Float, Scalar::NonFinite(name)) => Ok(Scalar::NonFinite(name)),
        (Tag::Null, Scalar::Null) => Ok(Scalar::Null),
        (tag, scalar) => Err(format!("cannot decode {} `{text}` as a !!{}", scalar.tag(), tag.name())),
    }
}

impl Tag {
    fn name(self) -> &'static str {
        match self {
            Self::Untyped | Self::Str => "str",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Null => "null",
            Self::Binary => "binary",
        }
    }
}

impl Scalar {
    fn tag(&self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Int(_) => "!!int",
            Self::Float(_) | Self::NonFinite(_) => "!!float",
            Self::Text(_) => "!!str",
        }
    }

    pub(super) fn into_value(self) -> Result<Value, String> {
        match self {
            Self::Null => Ok(Value::NULL),
            Self::Bool(truth) => Ok(truth.into()),
            Self::Int(number) | Self::Float(number) => Ok(number.into()),
            Self::Text(text) => Ok(text.into()),
            Self::NonFinite(name) => Err(format!("unsupported value: {name}")),
        }
    }

    /// The scalar as a key of an object.
    pub(super) fn into_key(self) -> Result<String, String> {
        match self {
            Self::Null => Err("unsupported map key of type: null".to_owned()),
            Self::Bool(truth) => Ok(truth.to_string()),
            Self::Int(number) => Ok(number.to_literal().into_owned()),
            Self::Float(number) => Ok(float_key(number.as_f64())),
            Self::NonFinite("+Inf") => Ok(".inf".to_owned()),
            Self::NonFinite("-Inf") => Ok("-.inf".to_owned()),
            Self::NonFinite(_) => Ok(".nan".to_owned()),
            Self::Text(text) => Ok(text),
        }
    }
}

fn plain(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Scalar::NonFinite("NaN"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::NonFinite("+Inf"),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::NonFinite("-Inf"),
        _ if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) => {
            number(&text.replace('_', "")).unwrap_or_else(|| Scalar::Text(text.to_owned()))
        }
        _ => Scalar::Text(text.to_owned()),
    }
}

fn number(text: &str) -> Option<Scalar> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    based(negative, digits).map(Scalar::Int).or_else(|| decimal(negative, digits))
}

/// An integer that fits 64 bits, in the base its prefix names; a leading zero alone means octal.
fn based(negative: bool, digits: &str) -> Option<Number> {
    let (digits, base) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', b'o' | b'O', ..] => (&digits[2..], 8),
        [b'0', b'b' | b'B', ..] => (&digits[2..], 2),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, base).ok()?;
    if negative { i64::try_from(-i128::from(magnitude)).ok().map(Number::from) } else { Some(magnitude.into()) }
}

/// A decimal number. OPA's reader makes a float of it, so its spelling is lost; integers of 64 bits are not among them.
fn decimal(negative: bool, text: &str) -> Option<Scalar> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let power = exponent.map_or("0", |e| e.strip_prefix(['+', '-']).unwrap_or(e));
    let some_digits = !whole.is_empty() || fraction.is_some_and(|f| !f.is_empty());
    if !some_digits || !all_digits(whole) || !fraction.is_none_or(all_digits) || power.is_empty() || !all_digits(power)
    {
        return None;
    }
    let mut literal = if negative { "-".to_owned() } else { String::new() };
    match whole.trim_start_matches('0') {
        "" => literal.push('0'),
        significant => literal.push_str(significant),
    }
    if let Some(fraction) = fraction.filter(|f| !f.is_empty()) {
        literal.push('.');
        literal.push_str(fraction);
    }
    if exponent.is_some() {
        literal.push_str(&text[mantissa.len()..]);
    }
    let float = Number::parse(&literal).ok()?.as_f64();
    // Go's reader takes what overflows a float for a string.
    if float.is_finite() { Number::parse(&json_float(float)).ok().map(Scalar::Float) } else { None }
}

/// A float as Go writes it in JSON: the shortest digits, with an exponent only far from one.
fn json_float(float: f64) -> String {
    let magnitude = float.abs();
    if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        return float.to_string();
    }
    let scientific = format!("{float:e}");
    if magnitude < 1.0 { scientific } else { scientific.replace('e', "e+") }
}

/// A float as a key, as Go prints a 32-bit one: the shortest digits, with an exponent from a million on.
fn float_key(float: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "OPA shortens keys to 32 bits")]
    let short = float as f32;
    if !short.is_finite() {
        return if short > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{short:e}");
    let (mantissa, exponent) = scientific.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is an integer");
    if (-4..6).contains(&exponent) {
        return short.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests;
