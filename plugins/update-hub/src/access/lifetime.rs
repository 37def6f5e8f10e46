//! How long a token is good for, in any way that OPAL takes.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Value as Json;

const DAY: f64 = 86_400.0;

/// A time in seconds; may be over already.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lifetime(f64);

impl Default for Lifetime {
    fn default() -> Self {
        Self(365.0 * DAY)
    }
}

impl Lifetime {
    /// The moment at which something ends that begins at that second.
    pub(super) fn after(self, second: i64) -> Option<Timestamp> {
        let start = Timestamp::from_second(second).ok()?;
        start.checked_add(SignedDuration::try_from_secs_f64(self.0).ok()?).ok()
    }

    fn read(text: &str) -> Option<Self> {
        let seconds = text.parse().ok().filter(|seconds: &f64| seconds.is_finite());
        seconds.or_else(|| iso(text)).or_else(|| clock(text)).map(Self)
    }
}

impl<'de> Deserialize<'de> for Lifetime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = match Json::deserialize(deserializer)? {
            Json::Number(number) => number.as_f64().map(Self),
            Json::String(text) => Self::read(&text),
            _ => None,
        };
        read.ok_or_else(|| D::Error::custom("invalid duration format"))
    }
}

/// `P1DT2H3M4S`, each part as you like.
fn iso(text: &str) -> Option<f64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let (date, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((date, time)) => (date, time),
        None => (text.strip_prefix('P')?, ""),
    };
    Some(sign * (units(date, &[('D', DAY)])? + units(time, &[('H', 3_600.0), ('M', 60.0), ('S', 1.0)])?))
}

/// Numbers, each with its unit behind it, in that order.
fn units(mut text: &str, units: &[(char, f64)]) -> Option<f64> {
    let mut sum = 0.0;
    for (unit, seconds) in units {
        if let Some((number, rest)) = text.split_once(*unit) {
            sum += number.parse::<f64>().ok().filter(|number| number.is_finite())? * seconds;
            text = rest;
        }
    }
    text.is_empty().then_some(sum)
}

/// `3 days, 04:05:06`, `04:05:06`, `05:06`.
fn clock(text: &str) -> Option<f64> {
    let (days, time) = match text.split_once(' ') {
        Some((days, rest)) => {
            let rest = rest.strip_prefix("days").or_else(|| rest.strip_prefix("day")).unwrap_or(rest);
            (days.parse::<i32>().ok()?, rest.trim_start_matches([',', ' ']))
        }
        None => (0, text),
    };
    let mut parts = time.rsplit(':');
    let mut seconds = parts.next()?.parse::<f64>().ok().filter(|seconds| seconds.is_finite())?;
    for unit in [60.0, 3_600.0] {
        if let Some(part) = parts.next() {
            seconds += f64::from(part.parse::<i32>().ok()?) * unit;
        }
    }
    parts.next().is_none().then_some(f64::from(days) * DAY + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_read_as_opal_reads_them() {
        let read = |json: &str| serde_json::from_str::<Lifetime>(json).ok().map(|lifetime| lifetime.0);
        for (json, seconds) in [
            ("60", 60.0),
            ("1.5", 1.5),
            ("-5", -5.0),
            (r#""90""#, 90.0),
            (r#""PT10M""#, 600.0),
            (r#""P1DT2H""#, 93_600.0),
            (r#""P30D""#, 2_592_000.0),
            (r#""-PT1S""#, -1.0),
            (r#""3 days, 04:05:06""#, 273_906.0),
            (r#""01:00:00""#, 3_600.0),
        ] {
            assert_eq!(read(json), Some(seconds), "{json}");
        }
        for json in
            [r#""1 day""#, r#""""#, "[]", "null", r#""P1H""#, r#""PT""x"#, r#""1:2:3:4""#, r#""inf""#, r#""NaN""#]
        {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn what_ends_out_of_time_does_not_end() {
        assert_eq!(Lifetime(1e300).after(0), None);
        assert_eq!(Lifetime(60.0).after(0), Timestamp::from_second(60).ok());
    }
}
