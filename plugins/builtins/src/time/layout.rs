//! Go's layouts: a time written down is the pattern for all others.

/// A piece of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    /// `PM`
    UpperHalf,
    /// `pm`
    LowerHalf,
    /// `MST`
    ZoneName,
    /// An offset.
    Offset(Offset),
    /// So many digits, zeros among them.
    FixedFraction(usize),
    /// Up to so many digits, without zeros at the end.
    Fraction(usize),
}

/// How an offset is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset {
    /// `Z` for Greenwich.
    pub(super) z: bool,
    pub(super) colons: bool,
    pub(super) parts: Parts,
}

/// The parts of an offset that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Parts {
    Hours,
    Minutes,
    Seconds,
}

/// Longer pieces come before those that they begin with.
const FIXED: &[(&str, Field)] = &[
    ("January", Field::LongMonth),
    ("Monday", Field::LongWeekday),
    ("MST", Field::ZoneName),
    ("002", Field::ZeroYearDay),
    ("01", Field::ZeroMonth),
    ("02", Field::ZeroDay),
    ("03", Field::ZeroHour12),
    ("04", Field::ZeroMinute),
    ("05", Field::ZeroSecond),
    ("06", Field::Year),
    ("15", Field::Hour),
    ("1", Field::NumMonth),
    ("2006", Field::LongYear),
    ("2", Field::Day),
    ("__2", Field::UnderYearDay),
    ("_2", Field::UnderDay),
    ("3", Field::Hour12),
    ("4", Field::Minute),
    ("5", Field::Second),
    ("PM", Field::UpperHalf),
    ("pm", Field::LowerHalf),
];

const OFFSETS: &[(&str, bool, Parts)] = &[
    ("070000", false, Parts::Seconds),
    ("07:00:00", true, Parts::Seconds),
    ("0700", false, Parts::Minutes),
    ("07:00", true, Parts::Minutes),
    ("07", false, Parts::Hours),
];

/// The text before the first field, that field with its text, and what follows.
pub(super) fn next(layout: &str) -> (&str, Option<(Field, &str)>, &str) {
    for (at, _) in layout.char_indices() {
        let rest = &layout[at..];
        if let Some((field, length)) = field(rest) {
            return (&layout[..at], Some((field, &rest[..length])), &rest[length..]);
        }
    }
    (layout, None, "")
}

/// The field that the text begins with, and its length.
fn field(text: &str) -> Option<(Field, usize)> {
    let found = |name: &str, field| Some((field, name.len()));
    let lower_follows = |length: usize| text[length..].starts_with(|c: char| c.is_ascii_lowercase());
    // An underscore before a year is just that.
    if text.starts_with("_2006") {
        return None;
    }
    if let Some((name, field)) = FIXED.iter().find(|(name, _)| text.starts_with(name)) {
        return found(name, *field);
    }
    if text.starts_with("Jan") && !lower_follows(3) {
        return found("Jan", Field::Month);
    }
    if text.starts_with("Mon") && !lower_follows(3) {
        return found("Mon", Field::Weekday);
    }
    if let Some(offset) = text.strip_prefix(['-', 'Z']) {
        let (name, colons, parts) = OFFSETS.iter().find(|(name, ..)| offset.starts_with(name))?;
        let offset = Offset { z: text.starts_with('Z'), colons: *colons, parts: *parts };
        return Some((Field::Offset(offset), 1 + name.len()));
    }
    let digits = text.strip_prefix(['.', ','])?.as_bytes();
    let digit = *digits.first().filter(|digit| matches!(digit, b'0' | b'9'))?;
    let count = digits.iter().take_while(|other| **other == digit).count();
    // Digits of another kind right after it make it none.
    if digits.get(count).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((if digit == b'0' { Field::FixedFraction(count) } else { Field::Fraction(count) }, 1 + count))
}
