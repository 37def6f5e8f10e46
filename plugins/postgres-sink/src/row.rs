//! Events as rows of the table.

use jiff::Timestamp;
use regent_core::decision::EncodedEvent;
use serde::Deserialize;
use uuid::Uuid;

/// Digits of a number, or of an exponent, that any column takes; PostgreSQL's limits are some times as far away.
const USUAL_DIGITS: usize = 10_000;
const USUAL_EXPONENT: usize = 3;

/// One row. Text is that of the event.
#[derive(Debug, Clone)]
pub(crate) struct Row<'a> {
    pub(crate) id: Uuid,
    pub(crate) moment: Timestamp,
    pub(crate) path: String,
    pub(crate) body: &'a str,
}

/// What the table wants to know of an event beside what is at hand.
#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    path: String,
}

impl<'a> Row<'a> {
    /// Whether it may be the one that `jsonb` cannot hold, if there is one.
    pub(crate) fn is_suspect(&self) -> bool {
        is_suspect(self.body)
    }

    /// The row of an event.
    ///
    /// # Errors
    /// When the event can be none.
    pub(crate) fn of(event: &'a EncodedEvent) -> Result<Self, String> {
        let id = event.decision_id();
        let id = Uuid::parse_str(id).map_err(|_| format!("the id of a decision, {id:?}, is no UUID"))?;
        let body = std::str::from_utf8(event.json()).map_err(|error| format!("the event of {id}: {error}"))?;
        let path = serde_json::from_str::<Fields>(body).map(|fields| fields.path).unwrap_or_default();
        // Text cannot hold this letter, and no decision should stay out for it; the event has the path as it is.
        let path = path.replace('\0', "\u{FFFD}");
        Ok(Self { id, moment: event.timestamp(), path, body })
    }
}

/// Whether `jsonb` may be unable to hold a text of JSON: it has the letter `\u0000`, or a number of unusual size.
fn is_suspect(json: &str) -> bool {
    let (bytes, mut at, mut in_string, mut digits) = (json.as_bytes(), 0, false, 0);
    while let Some(byte) = bytes.get(at) {
        digits = if byte.is_ascii_digit() && !in_string { digits + 1 } else { 0 };
        match byte {
            b'"' => in_string = !in_string,
            b'\\' => {
                if bytes[at + 1..].starts_with(b"u0000") {
                    return true;
                }
                // The letter behind it may be a quotation mark, or another one of its kind.
                at += 1;
            }
            b'e' | b'E' if !in_string && exponent(&bytes[at + 1..]) > USUAL_EXPONENT => return true,
            _ if digits > USUAL_DIGITS => return true,
            _ => {}
        }
        at += 1;
    }
    false
}

/// How many digits of an exponent there are.
fn exponent(bytes: &[u8]) -> usize {
    let signed = bytes.first().is_some_and(|byte| matches!(byte, b'+' | b'-'));
    bytes.iter().skip(usize::from(signed)).take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_jsonb_may_not_hold_is_suspect() {
        let long = "1".repeat(USUAL_DIGITS + 1);
        for json in [r#""\u0000""#, r#""\\\u0000""#, r#"{"a\"":"b\u0000"}"#, "[1e1000]", "1.5E-1000", "1e+99999", &long]
        {
            assert!(is_suspect(json), "{json}");
        }
        let long = format!(r#""{long} 1e1000""#);
        for json in
            [r#""\\u0000""#, r#""a\\","u0000""#, "[true, false, null]", "1e999", "1E-99", "[12345678, 9]", &long]
        {
            assert!(!is_suspect(json), "{json}");
        }
    }

    #[test]
    fn a_row_has_the_path_of_its_event() {
        let event = |path: &str| {
            let id = "6a2f41a3-c54c-fce8-32d2-0324e1c32e22";
            let text = format!(r#"{{"decision_id": "{id}", "timestamp": "2026-01-02T03:04:05Z"{path}}}"#);
            EncodedEvent::decode(text.into()).expect("an event")
        };
        let path = |path: &str| Row::of(&event(path)).expect("it has a UUID").path;
        assert_eq!(path(r#", "path": "app/allow""#), "app/allow");
        assert_eq!(path(r#", "path": "a\u0000b""#), "a\u{FFFD}b");
        assert_eq!(path(""), "");
    }
}
