//! Text that libyaml takes and the YAML 1.2 parser does not: brackets and quotes whose later lines stand further left
//! than their surroundings.
//!
//! Such text is common: JSON pasted below a key, or a PEM key put between quotes by `${KEY}`. White space at the start
//! of these lines means nothing, so they are moved to the right and the text is read again. Nothing is done unless
//! the parser complained about exactly this.

use super::build::Failure;

/// How much a repair may add to a text.
const MAX_GROWTH: usize = 1 << 22;

/// The text with the construct moved that the parser stumbled over; none if that is not what is wrong.
pub(super) fn repair(text: &str, failure: &Failure) -> Option<String> {
    let offset = |index: usize| text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    let stumbled = offset(failure.index);
    let (start, end) = match failure.error.message.as_str() {
        "invalid indentation in quoted scalar" => (stumbled, quoted_end(text.as_bytes(), stumbled)?),
        "invalid indentation" | "invalid indentation in flow construct" => {
            around(text.as_bytes(), offset(failure.settled), stumbled)?
        }
        _ => return None,
    };
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let indent = text[line..start].chars().count() + 1;
    let mut lines = text[start..end].split_inclusive('\n');
    let first = lines.next()?;
    let rest: Vec<&str> = lines.collect();
    if rest.iter().any(|line| is_marker(line)) || indent.saturating_mul(rest.len()) > MAX_GROWTH {
        return None;
    }
    let pad = " ".repeat(indent);
    let moved: String = rest.iter().flat_map(|line| [pad.as_str(), line]).collect();
    Some([&text[..start], first, &moved, &text[end..]].concat())
}

/// Whether the line begins or ends a document.
fn is_marker(line: &str) -> bool {
    let after = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
    after.is_some_and(|after| after.is_empty() || after.starts_with(char::is_whitespace))
}

/// Where the quoted scalar that begins here ends.
fn quoted_end(text: &[u8], start: usize) -> Option<usize> {
    let quote = *text.get(start)?;
    let mut at = start + 1;
    loop {
        match *text.get(at)? {
            b'\\' if quote == b'"' => at += 2,
            b'\'' if quote == b'\'' && text.get(at + 1) == Some(&b'\'') => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The outermost brackets around a place, looked for from a place outside them.
fn around(text: &[u8], from: usize, place: usize) -> Option<(usize, usize)> {
    let (mut at, mut open) = (from, None);
    let mut depth = 0_usize;
    while at < text.len() && (at <= place || open.is_some()) {
        match text[at] {
            b'"' | b'\'' if begins_scalar(&text[from..at]) => {
                at = quoted_end(text, at)?;
                continue;
            }
            b'#' if text[from..at].last().is_none_or(u8::is_ascii_whitespace) => {
                at += text[at..].iter().position(|byte| *byte == b'\n').unwrap_or(text.len() - at);
                continue;
            }
            b'[' | b'{' => {
                depth += 1;
                open = open.or(Some(at));
            }
            b']' | b'}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    let start = open.take()?;
                    if at >= place {
                        return Some((start, at + 1));
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Whether a quote after this text opens a scalar, and is not one in the middle of a word.
fn begins_scalar(before: &[u8]) -> bool {
    before.iter().rev().find(|byte| !byte.is_ascii_whitespace()).is_none_or(|byte| b"[{,:?-".contains(byte))
        || before.last() == Some(&b'\n')
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::value::encode;

    fn json(text: &str) -> String {
        parse(text).map_or_else(|error| error.to_string(), |(value, _)| encode(&value))
    }

    #[test]
    fn what_stands_too_far_left_is_read_as_libyaml_reads_it() {
        let table = [
            ("a: {\nb: 1\n}\n", r#"{"a":{"b":1}}"#),
            ("a: [\n1,\n2]\nb: [\n3]\n", r#"{"a":[1,2],"b":[3]}"#),
            ("x:\n  a: {\n  b: 1,\n  c: [\n  1]}\n  d: 2\n", r#"{"x":{"a":{"b":1,"c":[1]},"d":2}}"#),
            ("x:\n  a: [\n   'p]',\n'q', it's, # [\n]\n", r#"{"x":{"a":["p]","q","it's"]}}"#),
            ("x:\n  - {a: 1,\n  b: 2}\n  - c\n", r#"{"x":[{"a":1,"b":2},"c"]}"#),
            ("x[0]: 1\n\"[\": {\nb: é}\n", r#"{"[":{"b":"é"},"x[0]":1}"#),
            (
                "é:\n  k: \"-----BEGIN X-----\nab\\\"c\n\nd\n-----END X-----\n\"\n  l: 'b''\nc'\n",
                r#"{"é":{"k":"-----BEGIN X----- ab\"c\nd -----END X----- ","l":"b' c"}}"#,
            ),
        ];
        for (text, expected) in table {
            assert_eq!(json(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_otherwise_stays_wrong() {
        assert_eq!(json("a:\n  b: [\n1,\n---\n]\n"), "yaml: line 3: invalid indentation");
        for text in ["a:\n  b: [\n1", "a:\n  b: \"x\ny", "a:\n  b: {\n]\n}", "a:\n  b: [\nx: {\n]\n"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
