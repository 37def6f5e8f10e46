//! Values as Rego text.

use std::fmt::Write as _;

use regent_core::Value;
use regent_core::value::{View, write_json_string};

/// Stack that one more level of nesting may need.
const RED_ZONE: usize = 64 << 10;

/// Stack that is added when it runs short.
const GROWTH: usize = 1 << 20;

/// The value as OPA spells it in messages and prints: `{"a": [1, 2]}`, `{1, 2}`, `set()`.
pub(super) fn text(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

fn write(text: &mut String, value: &Value) {
    stacker::maybe_grow(RED_ZONE, GROWTH, || match value.view() {
        View::Null => text.push_str("null"),
        View::Bool(truth) => drop(write!(text, "{truth}")),
        View::Number(number) => text.push_str(&number.to_literal()),
        View::String(string) => quote(text, string),
        View::Array(items) => list(text, ('[', ']'), items.iter(), write),
        View::Object(entries) => list(text, ('{', '}'), entries.iter(), |text, (key, value)| {
            write(text, key);
            text.push_str(": ");
            write(text, value);
        }),
        View::Set(members) if members.is_empty() => text.push_str("set()"),
        View::Set(members) => list(text, ('{', '}'), members.iter(), write),
    });
}

fn list<T>(
    text: &mut String,
    (open, close): (char, char),
    items: impl Iterator<Item = T>,
    mut one: impl FnMut(&mut String, T),
) {
    text.push(open);
    for (at, item) in items.enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        one(text, item);
    }
    text.push(close);
}

fn quote(text: &mut String, string: &str) {
    let mut quoted = Vec::new();
    write_json_string(&mut quoted, string);
    text.push_str(&String::from_utf8_lossy(&quoted));
}
