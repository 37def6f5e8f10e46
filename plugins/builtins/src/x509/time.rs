//! The times in certificates.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use regent_core::value::Value;

use super::super::keys::der::{self, Der};

/// A time in UTC, as the calendar has it: the last second of the year 9999, which means for ever, is no timestamp of jiff.
pub(crate) type Time = DateTime;

/// The time at so many nanoseconds since 1970.
pub(crate) fn at(nanoseconds: i64) -> Time {
    let timestamp =
        Timestamp::from_nanosecond(nanoseconds.into()).expect("jiff has every 64-bit number of nanoseconds");
    timestamp.to_zoned(TimeZone::UTC).datetime()
}

/// The time as Go's JSON shows it.
pub(crate) fn shape(time: Time) -> Value {
    format!("{time}Z").into()
}

/// Reads a time in either spelling: `YYMMDDhhmmssZ`, of which the seconds may be missing, or `YYYYMMDDhhmmssZ`.
pub(crate) fn read(der: &mut Der<'_>) -> Option<Time> {
    let element = der.any()?;
    let text = std::str::from_utf8(element.contents).ok()?;
    let digits = text.strip_suffix('Z')?;
    let year_digits = match element.tag {
        der::UTC_TIME => 2,
        der::GENERALIZED_TIME => 4,
        _ => return None,
    };
    let is_whole = digits.len() == year_digits + 10 || element.tag == der::UTC_TIME && digits.len() == 10;
    if !is_whole || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = digits.split_at(year_digits);
    let mut year: i16 = year.parse().ok()?;
    if element.tag == der::UTC_TIME {
        year += if year < 50 { 2000 } else { 1900 };
    }
    let mut pairs = rest.as_bytes().chunks(2).map(|pair| (pair[0] - b'0') * 10 + (pair[1] - b'0'));
    let mut next = || i8::try_from(pairs.next().unwrap_or(0)).ok();
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(tag: u8, text: &str) -> Option<String> {
        let length = u8::try_from(text.len()).expect("a short text");
        let der = [&[tag, length], text.as_bytes()].concat();
        read(&mut Der::new(&der)).map(|time| format!("{time}Z"))
    }

    #[test]
    fn both_spellings() {
        assert_eq!(time(der::UTC_TIME, "180810103816Z").as_deref(), Some("2018-08-10T10:38:16Z"));
        assert_eq!(time(der::UTC_TIME, "500101000000Z").as_deref(), Some("1950-01-01T00:00:00Z"));
        assert_eq!(time(der::UTC_TIME, "4912312359Z").as_deref(), Some("2049-12-31T23:59:00Z"));
        assert_eq!(time(der::GENERALIZED_TIME, "21261028212138Z").as_deref(), Some("2126-10-28T21:21:38Z"));
        assert_eq!(time(der::GENERALIZED_TIME, "99991231235959Z").as_deref(), Some("9999-12-31T23:59:59Z"));
        for text in ["", "Z", "181310103816Z", "180230000000Z", "180810103816", "1808101038+0Z", "18081010381Z"] {
            assert_eq!(time(der::UTC_TIME, text), None, "{text}");
        }
        assert_eq!(time(der::OCTET_STRING, "180810103816Z"), None);
    }
}
