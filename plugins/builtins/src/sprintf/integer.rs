//! Integers under `%d`, `%x`, `%c` and their like.

use num_bigint::{BigInt, Sign};
use num_traits::Zero;

use super::Spec;
use crate::spelling::{Charset, is_printable, quote_into};

/// Appends an `int`; false when the verb is not for it.
pub(super) fn int(out: &mut String, int: i64, verb: char, spec: &Spec) -> bool {
    match verb {
        'v' | 'd' => digits(out, int, 10, verb, spec),
        'b' => digits(out, int, 2, verb, spec),
        'o' | 'O' => digits(out, int, 8, verb, spec),
        'x' | 'X' => digits(out, int, 16, verb, spec),
        'c' => spec.pad(out, character(int).encode_utf8(&mut [0; 4])),
        'q' => {
            let charset = if spec.plus { Charset::Ascii } else { Charset::Printable };
            let mut quoted = String::new();
            quote_into(&mut quoted, character(int).encode_utf8(&mut [0; 4]), '\'', charset);
            spec.pad(out, &quoted);
        }
        'U' => unicode(out, int, spec),
        _ => return false,
    }
    true
}

/// The character of that number; U+FFFD where there is none.
fn character(int: i64) -> char {
    u32::try_from(int).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn in_base(magnitude: u64, base: u32, verb: char) -> String {
    match (base, verb) {
        (2, _) => format!("{magnitude:b}"),
        (8, _) => format!("{magnitude:o}"),
        (16, 'X') => format!("{magnitude:X}"),
        (16, _) => format!("{magnitude:x}"),
        _ => magnitude.to_string(),
    }
}

fn digits(out: &mut String, int: i64, base: u32, verb: char, spec: &Spec) {
    let plain = Spec { zero: false, ..*spec };
    if spec.precision == Some(0) && int == 0 {
        return plain.pad(out, "");
    }
    let sign = if int < 0 {
        "-"
    } else if spec.plus {
        "+"
    } else if spec.space {
        " "
    } else {
        ""
    };
    let mut number = in_base(int.unsigned_abs(), base, verb);
    // Zeros come from the precision, or else from the width; the latter leaves room for the sign.
    let wanted = match (spec.precision, spec.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if spec.pads_with_zeros() => width.saturating_sub(sign.len()),
        _ => 0,
    };
    let lack = wanted.saturating_sub(number.len());
    number.insert_str(0, &"0".repeat(lack));
    let prefix = match (spec.sharp, base, verb) {
        (_, 8, 'O') => "0o",
        (true, 2, _) => "0b",
        (true, 8, _) if !number.starts_with('0') => "0",
        (true, 16, 'X') => "0X",
        (true, 16, _) => "0x",
        _ => "",
    };
    plain.pad(out, &format!("{sign}{prefix}{number}"));
}

fn unicode(out: &mut String, int: i64, spec: &Spec) {
    let width = spec.precision.unwrap_or(4).max(4);
    let mut text = format!("U+{:0width$X}", int.cast_unsigned());
    if spec.sharp
        && let Some(character) = u32::try_from(int).ok().and_then(char::from_u32).filter(|c| is_printable(*c))
    {
        text.push_str(" '");
        text.push(character);
        text.push('\'');
    }
    Spec { zero: false, ..*spec }.pad(out, &text);
}

/// Appends a `*big.Int`, which in Go has its own code and so its own rules; false when the verb is not for it.
pub(super) fn big(out: &mut String, big: &BigInt, verb: char, spec: &Spec) -> bool {
    let (base, prefix) = match verb {
        'b' => (2, if spec.sharp { "0b" } else { "" }),
        'o' => (8, if spec.sharp { "0" } else { "" }),
        'O' => (8, "0o"),
        'd' | 's' | 'v' => (10, ""),
        'x' => (16, if spec.sharp { "0x" } else { "" }),
        'X' => (16, if spec.sharp { "0X" } else { "" }),
        _ => return false,
    };
    let mut number = big.magnitude().to_str_radix(base);
    if verb == 'X' {
        number.make_ascii_uppercase();
    }
    let sign = match big.sign() {
        Sign::Minus => "-",
        _ if spec.plus => "+",
        _ if spec.space => " ",
        _ => "",
    };
    if spec.precision == Some(0) && big.is_zero() {
        return true;
    }
    let mut zeros = spec.precision.unwrap_or(0).saturating_sub(number.len());
    let length = sign.len() + prefix.len() + zeros + number.len();
    if spec.pads_with_zeros() && spec.precision.is_none() {
        zeros += spec.width.unwrap_or(0).saturating_sub(length);
    }
    let text = format!("{sign}{prefix}{}{number}", "0".repeat(zeros));
    Spec { zero: false, ..*spec }.pad(out, &text);
    true
}
