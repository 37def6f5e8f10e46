//! The digest by which a report tells what was fetched: SHA-256 of the data as Python's `json` writes it.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The digest of a JSON text, in hexadecimal digits. Keys count in the order in which they are, numbers as they are spelled; a
/// text counts as its own bytes.
pub(crate) fn of_json(json: &str) -> String {
    let json = json.trim();
    let text = if json.starts_with('"') { serde_json::from_str::<String>(json).ok() } else { None };
    let written = text.unwrap_or_else(|| spaced(json));
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(written.as_bytes()) {
        // Writing to a text cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// The same JSON with a space behind each comma and colon and nowhere else, and in ASCII.
fn spaced(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 8);
    let (mut in_text, mut escaped) = (false, false);
    for c in json.chars() {
        if in_text {
            (in_text, escaped) = (escaped || c != '"', !escaped && c == '\\');
            if c.is_ascii() {
                out.push(c);
            } else {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            continue;
        }
        match c {
            ' ' | '\t' | '\n' | '\r' => {}
            ',' | ':' => out.extend([c, ' ']),
            _ => {
                in_text = c == '"';
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_opal() {
        let cases = [
            ("{}", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
            (r#"{"a":1}"#, "f9d86028c6e0d64e225186f96acb69338b2c59764df79162107f5c4bb34d1310"),
            (r#" {"b":1 , "a":2}"#, "6f21dfd78e16c0562728430c24f1064b9a2b169b376be1b918907673e5cea7ba"),
            ("[1,2.5,true,null]", "fbacec77baa0caa0cfa7afde5db3b04009bbe160f6b5822ad1ca6f4b57a9f645"),
            (r#""text""#, "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"),
            (r#"{"ü":"é"}"#, "cc25501928c640026f6f706ae8cf9bcd1ce4217ffff5b68dec1ee4fb37e0ee87"),
        ];
        for (json, digest) in cases {
            assert_eq!(of_json(json), digest, "{json}");
        }
    }

    #[test]
    fn quotes_within_texts_end_nothing() {
        assert_eq!(spaced(r#"{"a\"b:c\\":"x, y"}"#), r#"{"a\"b:c\\": "x, y"}"#);
        assert_eq!(spaced("\"\u{1f600}\""), "\"\\ud83d\\ude00\"");
    }
}
