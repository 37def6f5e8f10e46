//! Strings under `%s`, `%q`, `%x`.

use std::fmt::Write as _;

use super::Spec;
use crate::spelling::{Charset, quote_into};

/// Appends a string; false when the verb is not for it.
pub(super) fn text(out: &mut String, text: &str, verb: char, spec: &Spec) -> bool {
    match verb {
        'v' if spec.go_syntax => quoted(out, text, spec),
        'v' | 's' => plain(out, text, spec),
        'q' => quoted(out, text, spec),
        'x' | 'X' => hexadecimal(out, text, verb, spec),
        _ => return false,
    }
    true
}

/// The text, cut to as many characters as the precision says.
fn cut<'a>(text: &'a str, spec: &Spec) -> &'a str {
    let end = spec.precision.and_then(|count| text.char_indices().nth(count)).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// Appends the text as it is.
pub(super) fn plain(out: &mut String, text: &str, spec: &Spec) {
    spec.pad(out, cut(text, spec));
}

fn quoted(out: &mut String, text: &str, spec: &Spec) {
    let text = cut(text, spec);
    let mut quoted = String::with_capacity(text.len() + 2);
    if spec.sharp && can_be_raw(text) {
        quoted.push('`');
        quoted.push_str(text);
        quoted.push('`');
    } else {
        quote_into(&mut quoted, text, '"', if spec.plus { Charset::Ascii } else { Charset::Printable });
    }
    spec.pad(out, &quoted);
}

/// Whether the text can stand between backquotes on one line.
fn can_be_raw(text: &str) -> bool {
    text.chars().all(|c| !matches!(c, '\0'..='\u{8}' | '\n'..='\u{1f}' | '\u{7f}' | '`' | '\u{feff}'))
}

fn hexadecimal(out: &mut String, text: &str, verb: char, spec: &Spec) {
    let bytes = text.as_bytes();
    let bytes = &bytes[..spec.precision.unwrap_or(bytes.len()).min(bytes.len())];
    let prefix = match (spec.sharp, verb) {
        (false, _) => "",
        (true, 'X') => "0X",
        (true, _) => "0x",
    };
    let mut shown = String::with_capacity(bytes.len() * 2);
    for (index, byte) in bytes.iter().enumerate() {
        if spec.space && index > 0 {
            shown.push(' ');
        }
        if spec.space || index == 0 {
            shown.push_str(prefix);
        }
        let written = if verb == 'X' { write!(shown, "{byte:02X}") } else { write!(shown, "{byte:02x}") };
        written.expect("a string takes all that is written to it");
    }
    spec.pad(out, &shown);
}
