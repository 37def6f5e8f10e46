//! Events as rows of the table.

use std::ops::Range;

use jiff::Timestamp;
use regent_core::decision::EncodedEvent;
use serde::Deserialize;
use uuid::Uuid;

/// Bytes of events that one statement brings, roughly: far from the gigabyte that a message may have.
const BYTES: usize = 16 << 20;

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

/// Parts of rows, each for one statement. The last one is to be stored first.
pub(crate) fn pieces(rows: &[Row<'_>]) -> Vec<Range<usize>> {
    let (mut pieces, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (index, row) in rows.iter().enumerate() {
        bytes += row.body.len();
        if bytes > BYTES && index > start {
            pieces.push(start..index);
            (start, bytes) = (index, row.body.len());
        }
    }
    if start < rows.len() {
        pieces.push(start..rows.len());
    }
    pieces.reverse();
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_brings_as_many_events_as_fit_and_at_least_one() {
        let body = "x".repeat(BYTES / 2);
        let large = "x".repeat(2 * BYTES);
        let row = |body| Row { id: Uuid::nil(), moment: Timestamp::UNIX_EPOCH, path: String::new(), body };
        assert_eq!(pieces(&[]), []);
        let rows = [row(&body), row(&body), row(&body), row(&large), row("x")];
        assert_eq!(pieces(&rows), [4..5, 3..4, 2..3, 0..2]);
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
