//! Floats under `%f`, `%e`, `%g` and their like.

use super::Spec;

/// Appends a `float64`; false when the verb is not for it.
pub(super) fn float(out: &mut String, float: f64, verb: char, spec: &Spec) -> bool {
    let (format, default) = match verb {
        'v' => ('g', None),
        'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
        'e' | 'E' | 'f' => (verb, Some(6)),
        'F' => ('f', Some(6)),
        _ => return false,
    };
    let precision = spec.precision.or(default);
    let mut number = magnitude(float.abs(), format, precision);
    if spec.sharp && verb != 'b' {
        number = with_point(&number, verb, precision);
    }
    let sign = if float.is_sign_negative() {
        "-"
    } else if spec.plus {
        "+"
    } else if spec.space {
        " "
    } else {
        ""
    };
    if spec.pads_with_zeros() && !sign.is_empty() {
        // Zeros go between the sign and the number.
        out.push_str(sign);
        let width = spec.width.map(|width| width.saturating_sub(sign.len()));
        Spec { width, ..*spec }.pad(out, &number);
    } else {
        spec.pad(out, &format!("{sign}{number}"));
    }
    true
}

/// The number as `%v` shows it.
pub(crate) fn shortest(float: f64) -> String {
    format!("{}{}", if float.is_sign_negative() { "-" } else { "" }, magnitude(float.abs(), 'g', None))
}

/// The number without a sign; the shortest that reads back as the same where no precision is given.
fn magnitude(float: f64, format: char, precision: Option<usize>) -> String {
    match format {
        'f' => precision.map_or_else(|| format!("{float}"), |precision| format!("{float:.precision$}")),
        'e' | 'E' => {
            let (digits, exponent) = scientific(float, precision);
            with_exponent(&digits, exponent, format)
        }
        'g' | 'G' => general(float, format, precision),
        'b' => {
            let (mantissa, exponent) = binary(float);
            format!("{mantissa}p{exponent:+}")
        }
        _ => hexadecimal(float, format, precision),
    }
}

/// The digits, with a point after the first, and the exponent of ten.
fn scientific(float: f64, precision: Option<usize>) -> (String, i32) {
    let text = precision.map_or_else(|| format!("{float:e}"), |precision| format!("{float:.precision$e}"));
    let (digits, exponent) = text.split_once('e').expect("the standard library writes an exponent");
    (digits.to_owned(), exponent.parse().expect("the exponent is a number"))
}

fn with_exponent(digits: &str, exponent: i32, letter: char) -> String {
    format!("{digits}{letter}{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs())
}

fn general(float: f64, format: char, precision: Option<usize>) -> String {
    let (digits, exponent) = scientific(float, precision.map(|precision| precision.max(1) - 1));
    let significant = digits.replace('.', "");
    let significant = significant.trim_end_matches('0');
    let significant = if significant.is_empty() { "0" } else { significant };
    // The shortest form counts as six digits when it is decided which notation is the better one.
    let limit = precision.map_or(6, |precision| precision.max(1));
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= limit {
        let (first, rest) = significant.split_at(1);
        let digits = if rest.is_empty() { first.to_owned() } else { format!("{first}.{rest}") };
        return with_exponent(&digits, exponent, if format == 'G' { 'E' } else { 'e' });
    }
    positional(significant, exponent)
}

/// The digits without an exponent: the point is put, zeros are added.
fn positional(digits: &str, exponent: i32) -> String {
    let Ok(before) = usize::try_from(exponent + 1) else {
        return format!("0.{}{digits}", "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0)));
    };
    match before {
        0 => format!("0.{digits}"),
        _ if before >= digits.len() => format!("{digits}{}", "0".repeat(before - digits.len())),
        _ => format!("{}.{}", &digits[..before], &digits[before..]),
    }
}

/// Mantissa and exponent of two.
fn binary(float: f64) -> (u64, i32) {
    let bits = float.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let exponent = i32::try_from(bits >> 52 & 0x7ff).expect("eleven bits");
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

/// `0x1.8p+01`
fn hexadecimal(float: f64, format: char, precision: Option<usize>) -> String {
    let (mut mantissa, mut exponent) = binary(float);
    if mantissa == 0 {
        exponent = 0;
    } else {
        let shift = mantissa.leading_zeros() - 11;
        mantissa <<= shift;
        exponent += 52 - i32::try_from(shift).expect("at most 64");
    }
    let shown = precision.unwrap_or(13);
    if shown < 13 {
        let lost = u32::try_from((13 - shown) * 4).expect("at most 52");
        let (half, rest) = (1_u64 << (lost - 1), mantissa & ((1 << lost) - 1));
        mantissa >>= lost;
        mantissa += u64::from(rest > half || rest == half && mantissa & 1 == 1);
        mantissa <<= lost;
        if mantissa >> 53 == 1 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut fraction = format!("{:013x}", mantissa & ((1 << 52) - 1));
    match precision {
        None => fraction.truncate(fraction.trim_end_matches('0').len()),
        Some(precision) if precision <= 13 => fraction.truncate(precision),
        Some(precision) => fraction.push_str(&"0".repeat(precision - 13)),
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    let text = format!("0x{}{point}{fraction}p{sign}{:02}", mantissa >> 52, exponent.unsigned_abs());
    if format == 'X' { text.to_ascii_uppercase() } else { text }
}

/// `%#g` and its like: always a point, and zeros up to the precision.
fn with_point(number: &str, verb: char, precision: Option<usize>) -> String {
    let cut = match verb {
        'x' | 'X' => number.find(['p', 'P']),
        _ => number.find(['e', 'E']),
    };
    let (digits, tail) = number.split_at(cut.unwrap_or(number.len()));
    let mut out = digits.to_owned();
    let wanted = if matches!(verb, 'v' | 'g' | 'G' | 'x') { precision.unwrap_or(6) } else { 0 };
    let leading = |c: char| c == '0' || c == '.';
    let mut shown = digits.trim_start_matches(leading).chars().filter(|c| *c != '.').count();
    if !digits.contains('.') {
        shown += usize::from(digits == "0");
        out.push('.');
    }
    out.push_str(&"0".repeat(wanted.saturating_sub(shown)));
    out.push_str(tail);
    out
}
