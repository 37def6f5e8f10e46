//! JSON out, to the byte as OPA writes it: sorted keys, `<`, `>`, `&`, U+2028 and U+2029 escaped.

use super::order::descend;
use super::{Object, Repr, Value, View};

/// The value as compact JSON.
pub fn encode(value: &Value) -> String {
    let mut out = Vec::with_capacity(128);
    write_json(&mut out, value);
    text(out)
}

/// The value as JSON indented by two spaces.
pub fn encode_pretty(value: &Value) -> String {
    let mut out = Vec::with_capacity(256);
    write_pretty(&mut out, value, 0);
    text(out)
}

fn text(out: Vec<u8>) -> String {
    String::from_utf8(out).expect("the encoder writes UTF-8 only")
}

/// Appends the value as compact JSON.
pub fn write_json(out: &mut Vec<u8>, value: &Value) {
    match &value.0 {
        Repr::Null => out.extend_from_slice(b"null"),
        Repr::Bool(true) => out.extend_from_slice(b"true"),
        Repr::Bool(false) => out.extend_from_slice(b"false"),
        Repr::Int(int) => {
            out.extend_from_slice(itoa::Buffer::new().format(*int).as_bytes());
        }
        Repr::Decimal(text) => out.extend_from_slice(text.as_bytes()),
        Repr::Short(text) => write_text(out, text.as_bytes()),
        Repr::Long(text) => write_json_string(out, text),
        Repr::Array(items) => descend(|| write_items(out, items.values().iter())),
        Repr::Set(members) => descend(|| write_items(out, members.iter())),
        Repr::Object(entries) => descend(|| write_entries(out, entries)),
    }
}

fn write_entries(out: &mut Vec<u8>, entries: &Object) {
    out.push(b'{');
    for_each_keyed(entries, |index, key, value| {
        if index > 0 {
            out.push(b',');
        }
        write_text(out, key);
        out.push(b':');
        write_json(out, value);
    });
    out.push(b'}');
}

fn write_items<'a>(out: &mut Vec<u8>, items: impl Iterator<Item = &'a Value>) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_json(out, item);
    }
    out.push(b']');
}

/// Goes through the entries as JSON shows them: a key that is no string becomes its compact JSON text, and the order is
/// that of the texts.
fn for_each_keyed(entries: &Object, mut visit: impl FnMut(usize, &[u8], &Value)) {
    if entries.keys().all(|key| text_of(key).is_some()) {
        for (index, (key, value)) in entries.iter().enumerate() {
            visit(index, text_of(key).unwrap_or_default(), value);
        }
        return;
    }
    let text = |key: &Value| key.as_str().map_or_else(|| encode(key), str::to_owned);
    let mut keyed: Vec<_> = entries.iter().map(|(key, value)| (text(key), value)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    for (index, (key, value)) in keyed.iter().enumerate() {
        visit(index, key.as_bytes(), value);
    }
}

/// The UTF-8 of a string: to look at it as text would have it checked.
fn text_of(key: &Value) -> Option<&[u8]> {
    match &key.0 {
        Repr::Short(text) => Some(text.as_bytes()),
        Repr::Long(text) => Some(text.as_bytes()),
        _ => None,
    }
}

pub(super) fn write_pretty(out: &mut Vec<u8>, value: &Value, depth: usize) {
    match value.view() {
        View::Array(items) if !items.is_empty() => descend(|| pretty_items(out, items.iter(), depth)),
        View::Set(members) if !members.is_empty() => descend(|| pretty_items(out, members.iter(), depth)),
        View::Object(entries) if !entries.is_empty() => descend(|| {
            out.push(b'{');
            for_each_keyed(entries, |index, key, value| {
                new_line(out, index, depth + 1);
                write_text(out, key);
                out.extend_from_slice(b": ");
                write_pretty(out, value, depth + 1);
            });
            new_line(out, 0, depth);
            out.push(b'}');
        }),
        _ => write_json(out, value),
    }
}

fn pretty_items<'a>(out: &mut Vec<u8>, items: impl Iterator<Item = &'a Value>, depth: usize) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        new_line(out, index, depth + 1);
        write_pretty(out, item, depth + 1);
    }
    new_line(out, 0, depth);
    out.push(b']');
}

pub(super) fn new_line(out: &mut Vec<u8>, index: usize, depth: usize) {
    if index > 0 {
        out.push(b',');
    }
    out.push(b'\n');
    out.resize(out.len() + 2 * depth, b' ');
}

/// Bytes that stand for themselves in a string, whatever follows them.
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut control = 0;
    while control < 0x20 {
        plain[control] = false;
        control += 1;
    }
    let special = b"\"\\<>&\xe2";
    let mut at = 0;
    while at < special.len() {
        plain[special[at] as usize] = false;
        at += 1;
    }
    plain
};

/// Appends a JSON string.
pub fn write_json_string(out: &mut Vec<u8>, text: &str) {
    write_text(out, text.as_bytes());
}

/// Appends a JSON string of a text's UTF-8.
fn write_text(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let mut plain = 0;
    let mut at = 0;
    loop {
        at += bytes[at..].iter().take_while(|byte| PLAIN[usize::from(**byte)]).count();
        let Some(byte) = bytes.get(at) else { break };
        let escape = match byte {
            b'"' => Some("\\\""),
            b'\\' => Some("\\\\"),
            b'\n' => Some("\\n"),
            b'\r' => Some("\\r"),
            b'\t' => Some("\\t"),
            0x08 => Some("\\b"),
            0x0c => Some("\\f"),
            b'<' => Some("\\u003c"),
            b'>' => Some("\\u003e"),
            b'&' => Some("\\u0026"),
            0xe2 if bytes[at..].starts_with("\u{2028}".as_bytes()) => Some("\\u2028"),
            0xe2 if bytes[at..].starts_with("\u{2029}".as_bytes()) => Some("\\u2029"),
            control @ 0..0x20 => {
                out.extend_from_slice(&bytes[plain..at]);
                out.extend_from_slice(format!("\\u{control:04x}").as_bytes());
                at += 1;
                plain = at;
                continue;
            }
            _ => None,
        };
        let width = if bytes[at] == 0xe2 { 3 } else { 1 };
        if let Some(escape) = escape {
            out.extend_from_slice(&bytes[plain..at]);
            out.extend_from_slice(escape.as_bytes());
            plain = at + width;
        }
        at += width;
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    #[test]
    fn strings_are_escaped_as_opa_escapes_them() {
        let mut out = Vec::new();
        write_json_string(&mut out, "<a>&\u{2028}é𝄞\u{0}\u{7f}\"\\\n\u{8}â");
        let expected = "\"\\u003ca\\u003e\\u0026\\u2028é𝄞\\u0000\u{7f}\\\"\\\\\\n\\bâ\"";
        assert_eq!(text(out), expected);
    }

    #[test]
    fn keys_that_are_no_strings_become_their_json_text() {
        let object: Object =
            [(Value::from(2_i64), Value::NULL), (Value::array(["x"]), true.into())].into_iter().collect();
        assert_eq!(encode(&object.into()), r#"{"2":null,"[\"x\"]":true}"#);
    }

    #[test]
    fn pretty_is_indented_by_two_spaces_and_keeps_empty_ones_together() {
        let value = decode(br#"{"a":[1,{}],"b":[]}"#).expect("valid JSON");
        assert_eq!(encode_pretty(&value), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
    }
}
