//! Values as Rego spells them, which is how `print`, `sprintf` and template strings show what is no string, and how Go quotes texts.

use std::fmt::Write as _;

use regent_core::value::{Value, View};

/// The value as a Rego term: `{"a": [1, "x"]}`, `{1, 2}`, `set()`.
pub fn spell(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

fn write(out: &mut String, value: &Value) {
    stacker::maybe_grow(64 << 10, 1 << 20, || write_here(out, value));
}

fn write_here(out: &mut String, value: &Value) {
    match value.view() {
        View::Null => out.push_str("null"),
        View::Bool(truth) => out.push_str(if truth { "true" } else { "false" }),
        View::Number(number) => out.push_str(&number.to_literal()),
        View::String(text) => quote_into(out, text, '"', Charset::Printable),
        View::Array(items) => write_items(out, '[', items.iter(), ']'),
        View::Set(members) if members.is_empty() => out.push_str("set()"),
        View::Set(members) => write_items(out, '{', members.iter(), '}'),
        View::Object(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write(out, key);
                out.push_str(": ");
                write(out, value);
            }
            out.push('}');
        }
    }
}

fn write_items<'a>(out: &mut String, open: char, items: impl Iterator<Item = &'a Value>, close: char) {
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(out, item);
    }
    out.push(close);
}

/// Which characters stay as they are between quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// All that can be seen.
    Printable,
    /// Those of ASCII that can be seen.
    Ascii,
}

/// The text in double quotes, escaped as Go escapes it.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote_into(&mut out, text, '"', Charset::Printable);
    out
}

/// Appends the text between quotes, escaped as Go escapes it.
pub fn quote_into(out: &mut String, text: &str, quote: char, charset: Charset) {
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            _ if character == quote => {
                out.push('\\');
                out.push(quote);
            }
            ' '..='~' => out.push(character),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            _ if charset == Charset::Printable && is_printable(character) => out.push(character),
            _ => write_escape(out, u32::from(character)),
        }
    }
    out.push(quote);
}

fn write_escape(out: &mut String, code: u32) {
    let written = match code {
        0..0x20 | 0x7f => write!(out, "\\x{code:02x}"),
        0..0x10000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
    written.expect("a string takes all that is written to it");
}

/// Whether the character can be seen: letters, marks, numbers, punctuation, symbols and the plain space.
pub fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return matches!(character, ' '..='~');
    }
    // Of all characters but the first, the standard library escapes just those that cannot be seen.
    let mut text = String::from("a");
    text.push(character);
    text.escape_debug().nth(1) == Some(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composites_are_spelled_as_rego() {
        let inner = Value::set([Value::from(2_i64), Value::from("a\"\n")]);
        let value =
            Value::array([Value::from(None::<bool>), inner, Value::set([] as [Value; 0]), Value::empty_object()]);
        assert_eq!(spell(&value), r#"[null, {2, "a\"\n"}, set(), {}]"#);
        let object = Value::object([(Value::from(1_i64), Value::from(true)), (Value::from("k"), Value::from("v"))]);
        assert_eq!(spell(&object), r#"{1: true, "k": "v"}"#);
    }

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        assert_eq!(
            quote("é\u{301}\u{a0}\u{200b}\u{1}\u{7f}\u{e000}😀\u{10ffff}"),
            "\"é\u{301}\\u00a0\\u200b\\x01\\x7f\\ue000😀\\U0010ffff\""
        );
    }
}
