//! Time stamps in the layouts that `--log-timestamp-format` takes: Go's, by the example of one moment.

use std::str::FromStr;

use jiff::Zoned;

/// What each piece of a layout stands for. Longer pieces come before those that they begin with.
const PIECES: &[(&str, &str)] = &[
    ("January", "%B"),
    ("Monday", "%A"),
    ("2006", "%Y"),
    ("-07:00", "%:z"),
    ("-0700", "%z"),
    ("Jan", "%b"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("_2", "%e"),
];

/// How moments are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// A format of `strftime`.
    Format(&'static str),
    /// `Z` for UTC, else the offset.
    Zone,
    /// A point and this many digits of a second.
    Fraction(usize),
}

/// The layout is empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the time layout is empty")]
pub struct InvalidLayout;

impl Default for Layout {
    /// RFC 3339 in seconds.
    fn default() -> Self {
        "2006-01-02T15:04:05Z07:00".parse().expect("the layout is not empty")
    }
}

impl FromStr for Layout {
    type Err = InvalidLayout;

    fn from_str(layout: &str) -> Result<Self, InvalidLayout> {
        let mut pieces = Vec::new();
        let mut rest = layout;
        while !rest.is_empty() {
            let (piece, length) = next(rest);
            match (piece, pieces.last_mut()) {
                (Piece::Literal(more), Some(Piece::Literal(text))) => text.push_str(&more),
                (piece, _) => pieces.push(piece),
            }
            rest = &rest[length..];
        }
        if pieces.is_empty() { Err(InvalidLayout) } else { Ok(Self(pieces)) }
    }
}

fn next(rest: &str) -> (Piece, usize) {
    if rest.starts_with("Z07:00") {
        return (Piece::Zone, 6);
    }
    if let Some(digits) = rest.strip_prefix(['.', ',']) {
        let count = digits.bytes().take_while(|&b| b == digits.as_bytes()[0] && matches!(b, b'0' | b'9')).count();
        if count > 0 {
            return (Piece::Fraction(count), 1 + count);
        }
    }
    if let Some((text, format)) = PIECES.iter().find(|(text, _)| rest.starts_with(text)) {
        return (Piece::Format(format), text.len());
    }
    let first = rest.chars().next().map_or(0, char::len_utf8);
    (Piece::Literal(rest[..first].to_owned()), first)
}

impl Layout {
    /// The present moment in the machine's time zone.
    pub fn now(&self) -> String {
        self.format(&Zoned::now())
    }

    fn format(&self, moment: &Zoned) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.clone(),
                Piece::Format(format) => moment.strftime(format).to_string(),
                Piece::Zone if moment.offset().is_zero() => "Z".to_owned(),
                Piece::Zone => moment.strftime("%:z").to_string(),
                Piece::Fraction(digits) => {
                    format!(".{}", &format!("{:09}", moment.subsec_nanosecond())[..*digits.min(&9)])
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(layout: &str, moment: &str) -> String {
        let moment: Zoned = moment.parse().expect("a moment");
        layout.parse::<Layout>().expect("a layout").format(&moment)
    }

    #[test]
    fn layouts_are_gos() {
        let utc = "2026-03-04T05:06:07.089012345+00:00[UTC]";
        assert_eq!(format("2006-01-02T15:04:05Z07:00", utc), "2026-03-04T05:06:07Z");
        assert_eq!(format("2006-01-02T15:04:05.000Z07:00", utc), "2026-03-04T05:06:07.089Z");
        assert_eq!(format("02 Jan 06 15:04 -0700", utc), "04 Mar 26 05:06 +0000");
        let east = "2026-03-04T05:06:07+05:30[+05:30]";
        assert_eq!(format("15:04:05Z07:00", east), "05:06:07+05:30");
    }

    #[test]
    fn an_empty_layout_is_refused() {
        assert_eq!("".parse::<Layout>(), Err(InvalidLayout));
    }
}
