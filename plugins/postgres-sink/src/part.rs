//! Parts of a batch, each for one statement.

use crate::row::Row;
use crate::table::Form;

/// Bytes of events that one statement brings, roughly: far from the gigabyte that a message may have.
const BYTES: usize = 16 << 20;

/// Rows that are stored together, or not at all.
pub(crate) struct Part<'r, 'e> {
    pub(crate) rows: Vec<&'r Row<'e>>,
    pub(crate) form: Form,
}

impl<'r, 'e> Part<'r, 'e> {
    /// Parts with all rows. The last one is to be stored first.
    pub(crate) fn all(rows: &'r [Row<'e>]) -> Vec<Self> {
        let (mut parts, mut bytes) = (Vec::<Self>::new(), 0);
        for row in rows {
            bytes += row.body.len();
            match parts.last_mut() {
                Some(part) if bytes <= BYTES => part.rows.push(row),
                _ => {
                    parts.push(Self { rows: vec![row], form: Form::Value });
                    bytes = row.body.len();
                }
            }
        }
        parts.reverse();
        parts
    }

    /// What to try when one of the rows is in the way of the others; nothing if there are no others.
    ///
    /// Rows are stored as text if they are suspect, which costs a statement for all of them; whoever asks for decisions may
    /// make any number of such rows. What is in the way besides is found by halves.
    pub(crate) fn without_what_is_in_the_way(self) -> Option<Vec<Self>> {
        let Self { mut rows, form } = self;
        if form == Form::Value {
            let (suspects, others): (Vec<_>, Vec<_>) = rows.iter().copied().partition(|row| row.is_suspect());
            if !suspects.is_empty() {
                let parts = [Self { rows: others, form }, Self { rows: suspects, form: Form::Text }];
                return Some(parts.into_iter().filter(|part| !part.rows.is_empty()).collect());
            }
        }
        if rows.len() > 1 {
            let second = rows.split_off(rows.len() / 2);
            return Some(vec![Self { rows: second, form }, Self { rows, form }]);
        }
        (form == Form::Value).then(|| vec![Self { rows, form: Form::Text }])
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn row(body: &str) -> Row<'_> {
        Row { id: Uuid::nil(), moment: Timestamp::UNIX_EPOCH, path: String::new(), body }
    }

    /// Numbers of letters in the rows of each part, with those that are text below zero.
    fn sizes(parts: Option<Vec<Part<'_, '_>>>) -> Vec<Vec<isize>> {
        let size = |form, row: &&Row<'_>| row.body.len().cast_signed() * if form == Form::Text { -1 } else { 1 };
        let parts = parts.into_iter().flatten();
        parts.map(|part| part.rows.iter().map(|row| size(part.form, row)).collect()).collect()
    }

    #[test]
    fn a_statement_brings_as_many_events_as_fit_and_at_least_one() {
        let (half, large) = ("x".repeat(BYTES / 2), "x".repeat(2 * BYTES));
        let rows = [row(&half), row(&half), row(&half), row(&large), row("x")];
        let (h, l) = (half.len().cast_signed(), large.len().cast_signed());
        assert_eq!(sizes(Some(Part::all(&rows))), [vec![1], vec![l], vec![h], vec![h, h]]);
        assert!(Part::all(&[]).is_empty());
    }

    #[test]
    fn suspects_are_text_at_once_and_others_once_they_are_found() {
        let rows = [row("1"), row("1e4000"), row("22"), row("333"), row("\"\\u0000\"")];
        let whole = Part::all(&rows).pop().expect("one statement");
        let parts = whole.without_what_is_in_the_way().expect("there is more to try");
        assert_eq!(sizes(Some(parts)), [vec![1, 2, 3], vec![-6, -8]]);
        let rows = [row("1"), row("22"), row("333")];
        let part = |count: usize, form| Part { rows: rows[..count].iter().collect(), form };
        assert_eq!(sizes(part(3, Form::Value).without_what_is_in_the_way()), [vec![2, 3], vec![1]]);
        assert_eq!(sizes(part(1, Form::Value).without_what_is_in_the_way()), [vec![-1]]);
        assert_eq!(sizes(part(3, Form::Text).without_what_is_in_the_way()), [vec![-2, -3], vec![-1]]);
        assert!(part(1, Form::Text).without_what_is_in_the_way().is_none());
    }
}
