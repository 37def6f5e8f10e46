//! Escaped characters.

use std::fmt::Write as _;

use super::{SyntaxError, between, first};

/// The character that an escape stands for, and what follows it. It may be a surrogate, which no text contains.
pub(super) fn character(text: &str) -> Result<(u32, &str), SyntaxError> {
    let Some((letter, after)) = first(&text[1..]) else {
        return Err(SyntaxError::new("trailing backslash at end of expression", ""));
    };
    let invalid = |rest: &str| SyntaxError::new("invalid escape sequence", between(text, rest));
    let code = match letter {
        'a' => 7,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'v' => 11,
        'x' => return hexadecimal(after).map_err(invalid),
        '0' => return Ok(octal(&text[1..])),
        // A single digit would refer to a group.
        '1'..='7' if after.starts_with(|c: char| ('0'..='7').contains(&c)) => return Ok(octal(&text[1..])),
        _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => u32::from(letter),
        _ => return Err(invalid(after)),
    };
    Ok((code, after))
}

/// Up to three digits.
fn octal(text: &str) -> (u32, &str) {
    let length = text.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    let (digits, rest) = text.split_at(length);
    (digits.bytes().fold(0, |code, digit| code * 8 + u32::from(digit - b'0')), rest)
}

/// Two digits, or any number of them in braces; or else what follows the character that is wrong.
fn hexadecimal(text: &str) -> Result<(u32, &str), &str> {
    let Some((character, mut rest)) = first(text) else {
        return Err(text);
    };
    if character != '{' {
        let Some((second, after)) = first(rest) else {
            return Err(rest);
        };
        return match (character.to_digit(16), second.to_digit(16)) {
            (Some(high), Some(low)) => Ok((high * 16 + low, after)),
            _ => Err(after),
        };
    }
    let mut code = None;
    while let Some((character, after)) = first(rest) {
        rest = after;
        if character == '}' {
            return code.map(|code| (code, after)).ok_or(after);
        }
        let next = character.to_digit(16).map(|digit| code.unwrap_or(0) * 16 + digit);
        code = Some(next.filter(|code| *code <= 0x0010_ffff).ok_or(after)?);
    }
    Err(rest)
}

/// Appends what matches just that character.
pub(super) fn write_literal(out: &mut String, code: u32) {
    match char::from_u32(code) {
        Some(character) if character.is_ascii_alphanumeric() || !character.is_ascii() => out.push(character),
        Some(_) => write!(out, "\\x{{{code:x}}}").expect("a string takes all that is written to it"),
        // A surrogate: nothing matches it.
        None => out.push_str("[a&&b]"),
    }
}
