//! Reading times.

use regent_core::duration::quote;

use super::calendar::{self, DAYS, MONTHS};
use super::layout::{self, Field, Offset, Parts};

/// Why a field cannot be read.
enum Wrong {
    /// The text is not of its form.
    Form,
    /// The value is out of range, which is named.
    Range(&'static str),
}

type Read<'a, T> = Result<(T, &'a str), Wrong>;

/// What has been read so far.
#[derive(Default)]
struct Parsed {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: i64,
    /// Whether the second half of the day was named, or the first.
    afternoon: Option<bool>,
    offset: i64,
}

/// The nanoseconds since 1970 of a time in the layout; in Greenwich where it has no offset.
///
/// # Errors
/// What Go says of a wrong time.
pub(super) fn parse(layout: &str, value: &str) -> Result<i128, String> {
    let fail = |message: &str| format!("parsing time {}{message}", quote(value));
    let cannot = |rest: &str, piece: &str| {
        let quoted = [layout, rest, piece].map(quote);
        fail(&format!(" as {}: cannot parse {} as {}", quoted[0], quoted[1], quoted[2]))
    };
    let mut parsed = Parsed::default();
    let (mut pattern, mut rest) = (layout, value);
    loop {
        let (prefix, field, after) = layout::next(pattern);
        rest = skip(rest, prefix).map_err(|rest| cannot(rest, prefix))?;
        let Some((field, text)) = field else {
            if rest.is_empty() {
                break;
            }
            return Err(fail(&format!(": extra text: {}", quote(rest))));
        };
        rest = parsed.read(field, rest, after).map_err(|wrong| match wrong {
            Wrong::Form => cannot(rest, text),
            Wrong::Range(what) => fail(&format!(": {what} out of range")),
        })?;
        pattern = after;
    }
    parsed.nanoseconds().map_err(|what| fail(&format!(": {what}")))
}

/// What follows the prefix; spaces stand for any number of spaces. Else the place where it differs.
fn skip<'a>(mut value: &'a str, mut prefix: &str) -> Result<&'a str, &'a str> {
    while let Some(wanted) = prefix.chars().next() {
        if wanted == ' ' {
            if !value.is_empty() && !value.starts_with(' ') {
                return Err(value);
            }
            (prefix, value) = (prefix.trim_start_matches(' '), value.trim_start_matches(' '));
            continue;
        }
        value = value.strip_prefix(wanted).ok_or(value)?;
        prefix = &prefix[wanted.len_utf8()..];
    }
    Ok(value)
}

fn is_digit(text: &str, at: usize) -> bool {
    text.as_bytes().get(at).is_some_and(u8::is_ascii_digit)
}

/// The first bytes, if there are as many.
fn cut(text: &str, length: usize) -> Read<'_, &str> {
    text.split_at_checked(length).ok_or(Wrong::Form)
}

/// From `least` to `most` digits.
fn number(text: &str, least: usize, most: usize) -> Read<'_, i64> {
    let count = (0..most).take_while(|at| is_digit(text, *at)).count();
    if count < least {
        return Err(Wrong::Form);
    }
    let (digits, rest) = text.split_at(count);
    Ok((digits.parse().map_err(|_| Wrong::Form)?, rest))
}

fn ranged<'a>(text: &'a str, padded: bool, range: std::ops::RangeInclusive<i64>, what: &'static str) -> Read<'a, i64> {
    let (number, rest) = number(text, if padded { 2 } else { 1 }, 2)?;
    if range.contains(&number) { Ok((number, rest)) } else { Err(Wrong::Range(what)) }
}

/// One of the names, or of their first letters, in whatever case; its position counts from 1.
fn name<'a>(text: &'a str, names: &[&str], length: Option<usize>) -> Read<'a, i64> {
    for (name, position) in names.iter().zip(1..) {
        let name = &name[..length.unwrap_or(name.len())];
        if let Some((found, rest)) = text.split_at_checked(name.len())
            && found.eq_ignore_ascii_case(name)
        {
            return Ok((position, rest));
        }
    }
    Err(Wrong::Form)
}

/// A separator and digits behind it, as nanoseconds.
fn fraction(text: &str, length: usize) -> Read<'_, i64> {
    let (piece, rest) = cut(text, length)?;
    let digits = piece.strip_prefix(['.', ',']).ok_or(Wrong::Form)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Wrong::Form);
    }
    let digits = format!("{:0<9}", &digits[..digits.len().min(9)]);
    Ok((digits.parse().map_err(|_| Wrong::Form)?, rest))
}

/// The length of a fraction that is written here, separator and all; 0 if there is none.
fn fraction_length(text: &str) -> usize {
    if text.starts_with(['.', ',']) && is_digit(text, 1) {
        1 + text[1..].bytes().take_while(u8::is_ascii_digit).count()
    } else {
        0
    }
}

impl Parsed {
    /// Reads one field and gives what follows it.
    fn read<'a>(&mut self, field: Field, text: &'a str, layout: &str) -> Result<&'a str, Wrong> {
        match field {
            Field::Year | Field::LongYear => return self.read_year(field, text),
            Field::Month => return set(&mut self.month, name(text, &MONTHS, Some(3))),
            Field::LongMonth => return set(&mut self.month, name(text, &MONTHS, None)),
            Field::NumMonth | Field::ZeroMonth => {
                return set(&mut self.month, ranged(text, field == Field::ZeroMonth, 1..=12, "month"));
            }
            Field::Weekday => return name(text, &DAYS, Some(3)).map(|(_, rest)| rest),
            Field::LongWeekday => return name(text, &DAYS, None).map(|(_, rest)| rest),
            Field::Day | Field::UnderDay | Field::ZeroDay => {
                let text = if field == Field::UnderDay { text.strip_prefix(' ').unwrap_or(text) } else { text };
                return set(&mut self.day, number(text, if field == Field::ZeroDay { 2 } else { 1 }, 2));
            }
            Field::UnderYearDay => {
                let text = text.strip_prefix(' ').unwrap_or(text);
                let text = text.strip_prefix(' ').unwrap_or(text);
                return set(&mut self.day_of_year, number(text, 1, 3));
            }
            Field::ZeroYearDay => return set(&mut self.day_of_year, number(text, 3, 3)),
            Field::UpperHalf | Field::LowerHalf => return self.read_half(field, text),
            Field::ZoneName => return self.read_zone(text),
            Field::Offset(form) => return self.read_offset(form, text),
            _ => {}
        }
        let (target, read) = match field {
            Field::Hour => (&mut self.hour, ranged(text, false, 0..=23, "hour")?),
            Field::Hour12 | Field::ZeroHour12 => {
                (&mut self.hour, ranged(text, field == Field::ZeroHour12, 0..=12, "hour")?)
            }
            Field::Minute | Field::ZeroMinute => {
                (&mut self.minute, ranged(text, field == Field::ZeroMinute, 0..=59, "minute")?)
            }
            Field::FixedFraction(count) => (&mut self.nanosecond, fraction(text, 1 + count)?),
            Field::Fraction(_) => match fraction_length(text) {
                0 => return Ok(text),
                length => (&mut self.nanosecond, fraction(text, length)?),
            },
            _ => return self.read_second(field, text, layout),
        };
        *target = read.0;
        Ok(read.1)
    }

    fn read_year<'a>(&mut self, field: Field, text: &'a str) -> Result<&'a str, Wrong> {
        let length = if field == Field::LongYear { 4 } else { 2 };
        let (year, rest) = number(text, length, length)?;
        self.year = match field {
            Field::LongYear => year,
            _ if year >= 69 => year + 1900,
            _ => year + 2000,
        };
        Ok(rest)
    }

    /// A second takes a fraction with it, even if the layout has none.
    fn read_second<'a>(&mut self, field: Field, text: &'a str, layout: &str) -> Result<&'a str, Wrong> {
        let (second, rest) = ranged(text, field == Field::ZeroSecond, 0..=59, "second")?;
        self.second = second;
        let length = fraction_length(rest);
        let (_, next, _) = layout::next(layout);
        if length == 0 || matches!(next, Some((Field::Fraction(_) | Field::FixedFraction(_), _))) {
            return Ok(rest);
        }
        let (nanosecond, rest) = fraction(rest, length)?;
        self.nanosecond = nanosecond;
        Ok(rest)
    }

    fn read_half<'a>(&mut self, field: Field, text: &'a str) -> Result<&'a str, Wrong> {
        let (half, rest) = cut(text, 2)?;
        self.afternoon = match (field, half) {
            (Field::UpperHalf, "PM") | (Field::LowerHalf, "pm") => Some(true),
            (Field::UpperHalf, "AM") | (Field::LowerHalf, "am") => Some(false),
            _ => return Err(Wrong::Form),
        };
        Ok(rest)
    }

    fn read_offset<'a>(&mut self, form: Offset, text: &'a str) -> Result<&'a str, Wrong> {
        if form.z
            && form.parts != Parts::Seconds
            && let Some(rest) = text.strip_prefix('Z')
        {
            return Ok(rest);
        }
        let sign = match text.as_bytes().first() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Err(Wrong::Form),
        };
        let (hours, mut rest) = number(&text[1..], 2, 2)?;
        let mut more = [0, 0];
        let wanted = match form.parts {
            Parts::Hours => 0,
            Parts::Minutes => 1,
            Parts::Seconds => 2,
        };
        for part in &mut more[..wanted] {
            if form.colons {
                rest = rest.strip_prefix(':').ok_or(Wrong::Form)?;
            }
            (*part, rest) = number(rest, 2, 2)?;
        }
        // Some people write offsets of 24 hours or 60 minutes.
        for (value, most, what) in [
            (hours, 24, "time zone offset hour"),
            (more[0], 60, "time zone offset minute"),
            (more[1], 60, "time zone offset second"),
        ] {
            if value > most {
                return Err(Wrong::Range(what));
            }
        }
        self.offset = sign * (hours * 3600 + more[0] * 60 + more[1]);
        Ok(rest)
    }

    /// The short name of a zone; none is known, so all are taken for Greenwich.
    #[expect(clippy::unused_self, reason = "stands beside the others that read a field")]
    fn read_zone<'a>(&mut self, text: &'a str) -> Result<&'a str, Wrong> {
        let letters = text.bytes().take(6).take_while(u8::is_ascii_uppercase).count();
        let length = match letters {
            _ if text.starts_with("ChST") || text.starts_with("MeST") => 4,
            _ if text.starts_with("GMT") => 3 + signed_offset(&text[3..]),
            _ if text.len() >= 3 && text.starts_with(['+', '-']) => signed_offset(text),
            3 => 3,
            4 if text.as_bytes()[3] == b'T' || text.starts_with("WITA") => 4,
            5 if text.as_bytes()[4] == b'T' => 5,
            _ => 0,
        };
        if length == 0 { Err(Wrong::Form) } else { Ok(&text[length..]) }
    }

    fn nanoseconds(&self) -> Result<i128, &'static str> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (month, day) = self.month_and_day()?;
        if day < 1 || day > calendar::month_length(self.year, month) {
            return Err("day out of range");
        }
        let days = calendar::days_since_epoch(self.year.into(), month.into()) + i128::from(day) - 1;
        let seconds = hour * 3600 + self.minute * 60 + self.second - self.offset;
        Ok((days * 86_400 + i128::from(seconds)) * 1_000_000_000 + i128::from(self.nanosecond))
    }

    fn month_and_day(&self) -> Result<(i64, i64), &'static str> {
        let Some(day_of_year) = self.day_of_year else {
            return Ok((self.month.unwrap_or(1), self.day.unwrap_or(1)));
        };
        if day_of_year < 1 || day_of_year > 365 + i64::from(calendar::is_leap(self.year)) {
            return Err("day-of-year out of range");
        }
        let (mut month, mut day) = (1, day_of_year);
        while day > calendar::month_length(self.year, month) {
            day -= calendar::month_length(self.year, month);
            month += 1;
        }
        if self.month.is_some_and(|other| other != month) {
            return Err("day-of-year does not match month");
        }
        if self.day.is_some_and(|other| other != day) {
            return Err("day-of-year does not match day");
        }
        Ok((month, day))
    }
}

fn set<'a>(target: &mut Option<i64>, read: Read<'a, i64>) -> Result<&'a str, Wrong> {
    let (value, rest) = read?;
    *target = Some(value);
    Ok(rest)
}

/// The length of `+3` or `-11`; 0 for anything else.
fn signed_offset(text: &str) -> usize {
    let Some(digits) = text.strip_prefix(['+', '-']) else {
        return 0;
    };
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    if digits[..count].parse::<u32>().is_ok_and(|hours| hours <= 23) { 1 + count } else { 0 }
}
