//! Amounts with units: `10Gi`, `1500m`.

use num_bigint::BigUint;
use num_traits::{One, Zero};
use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Number, Value};

use super::decimal::{Decimal, truncated};
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function("units.parse(x: string) => y: number", "Reads an amount such as `10G`, `5Ki` or `1500m`.", parse),
    function(
        "units.parse_bytes(x: string) => y: number",
        "Reads a number of bytes such as `10GB`, `5Ki` or `1e6KiB`.",
        parse_bytes,
    ),
];

/// Digits of an exponent that are still accepted.
const MAX_EXPONENT_DIGITS: usize = 6;
/// Decimals of an amount that is no integer.
const DECIMALS: u32 = 10;

/// The exponent is too long.
struct ExponentTooLarge;

/// Cuts an amount into number and unit; either may be empty.
fn cut(text: &str) -> Result<(&str, &str), ExponentTooLarge> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'0'..=b'9' | b'.' | b'+' | b'-' => {}
            b'e' | b'E' if matches!(bytes.get(at + 1), Some(b'0'..=b'9' | b'+' | b'-')) => {
                at += usize::from(matches!(bytes[at + 1], b'+' | b'-'));
                let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                if digits > MAX_EXPONENT_DIGITS {
                    return Err(ExponentTooLarge);
                }
            }
            _ => return Ok(text.split_at(at)),
        }
        at += 1;
    }
    Ok((text, ""))
}

fn power(base: u64, exponent: u32) -> u64 {
    base.pow(exponent)
}

fn number(value: &str) -> Value {
    Number::parse(value).expect("a number in decimals is one in JSON").into()
}

fn parse_bytes(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let failed = |what: &str| BuiltinError::failed(format!("units.parse_bytes: {what}"));
    let text = super::strings::lower(operands.string(0)?).replace('"', "");
    if text.contains(' ') {
        return Err(failed("spaces not allowed in resource strings"));
    }
    let (number, unit) = cut(&text).map_err(|ExponentTooLarge| failed("exponent too large"))?;
    if number.is_empty() {
        return Err(failed("no byte amount provided"));
    }
    let factor = match unit {
        "" => 1,
        "kb" | "k" => power(1000, 1),
        "kib" | "ki" => power(1024, 1),
        "mb" | "m" => power(1000, 2),
        "mib" | "mi" => power(1024, 2),
        "gb" | "g" => power(1000, 3),
        "gib" | "gi" => power(1024, 3),
        "tb" | "t" => power(1000, 4),
        "tib" | "ti" => power(1024, 4),
        "pb" | "p" => power(1000, 5),
        "pib" | "pi" => power(1024, 5),
        "eb" | "e" => power(1000, 6),
        "eib" | "ei" => power(1024, 6),
        _ => return Err(failed(&format!("byte unit {unit} not recognized"))),
    };
    let amount = Decimal::parse(number).and_then(|amount| amount.number());
    let amount = amount.ok_or_else(|| failed("could not parse byte amount to a number"))?;
    Ok(Some(truncated(&amount.mul(&Number::from(factor))).into()))
}

fn parse(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let failed = |what: &str| BuiltinError::failed(format!("units.parse: {what}"));
    let text = operands.string(0)?.replace('"', "");
    if text.contains(' ') {
        return Err(failed("spaces not allowed in resource strings"));
    }
    let (number, unit) = cut(&text).map_err(|ExponentTooLarge| failed("exponent too large"))?;
    if number.is_empty() {
        return Err(failed("no amount provided"));
    }
    // `m` and `M` differ, and nothing else that differs only in case.
    let first = unit.chars().next().map_or(0, char::len_utf8);
    let unit = format!("{}{}", &unit[..first], super::strings::lower(&unit[first..]));
    let (multiplier, divisor) = match unit.as_str() {
        "m" => milli(),
        "" => (BigUint::one(), BigUint::one()),
        other => {
            let factor = factor(other).ok_or_else(|| failed(&format!("unit {unit} not recognized")))?;
            (factor.into(), BigUint::one())
        }
    };
    let amount = Decimal::parse(number).ok_or_else(|| failed("could not parse amount to a number"))?;
    let (numerator, denominator) = amount.ratio();
    Ok(Some(self::number(&decimals(amount.negative, &(numerator * multiplier), &(denominator * divisor)))))
}

fn factor(unit: &str) -> Option<u64> {
    Some(match unit {
        "k" | "K" => power(1000, 1),
        "ki" | "Ki" => power(1024, 1),
        "M" => power(1000, 2),
        "mi" | "Mi" => power(1024, 2),
        "g" | "G" => power(1000, 3),
        "gi" | "Gi" => power(1024, 3),
        "t" | "T" => power(1000, 4),
        "ti" | "Ti" => power(1024, 4),
        "p" | "P" => power(1000, 5),
        "pi" | "Pi" => power(1024, 5),
        "e" | "E" => power(1000, 6),
        "ei" | "Ei" => power(1024, 6),
        _ => return None,
    })
}

/// A thousandth as the nearest float, which is what OPA multiplies with: so `1000m` is `1.0000000000`.
fn milli() -> (BigUint, BigUint) {
    let bits = 0.001_f64.to_bits();
    let exponent = bits >> 52;
    ((bits & ((1 << 52) - 1) | 1 << 52).into(), BigUint::one() << (1075 - exponent))
}

/// The quotient: an integer as such, anything else with ten decimals, halves rounded away from zero.
fn decimals(negative: bool, numerator: &BigUint, denominator: &BigUint) -> String {
    let whole = numerator / denominator;
    let sign = if negative && !numerator.is_zero() { "-" } else { "" };
    if &whole * denominator == *numerator {
        return format!("{sign}{whole}");
    }
    let scale = BigUint::from(10_u8).pow(DECIMALS);
    let scaled = (numerator * &scale * 2_u8 + denominator) / (denominator * 2_u8);
    let (whole, fraction) = (&scaled / &scale, &scaled % &scale);
    format!("{sign}{whole}.{:0>10}", fraction.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_error};

    #[test]
    fn amounts() {
        for (text, expected) in [
            ("500m", "0.5000000000"),
            ("1000m", "1.0000000000"),
            ("0.0005K", "0.5000000000"),
            ("10KI", "10240"),
            ("1.1Ki", "1126.4000000000"),
            ("-3.5E2m", "-0.3500000000"),
            ("2.5e3K", "2500000"),
            ("10Ei", "11529215046068469760"),
            ("\\\"1G\\\"", "1000000000"),
            (".5K", "500"),
            ("1e-2", "0.0100000000"),
            ("1.", "1"),
            ("4E", "4000000000000000000"),
        ] {
            check("units.parse", &format!("[\"{text}\"]"), expected);
        }
    }

    #[test]
    fn bytes() {
        for (text, expected) in [
            ("1.1KiB", "1126"),
            ("10EIB", "11529215046068469760"),
            ("6.4E1GB", "64000000000"),
            ("1e-2kb", "10"),
            ("12345", "12345"),
            (".0", "0"),
            ("-1.5k", "-1500"),
        ] {
            check("units.parse_bytes", &format!("[\"{text}\"]"), expected);
        }
    }

    #[test]
    fn wrong_amounts() {
        for (text, error) in [
            ("", "no amount provided"),
            ("foo", "no amount provided"),
            ("0.0.0", "could not parse amount to a number"),
            ("1 k", "spaces not allowed in resource strings"),
            ("1Kib", "unit Kib not recognized"),
            ("1e1234567", "exponent too large"),
        ] {
            check_error("units.parse", &format!("[\"{text}\"]"), &format!("units.parse: {error}"));
        }
        check_error("units.parse_bytes", r#"["GB"]"#, "units.parse_bytes: no byte amount provided");
        check_error("units.parse_bytes", r#"["1xB"]"#, "units.parse_bytes: byte unit xb not recognized");
    }
}
