//! A time in a zone.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use regent_core::builtin::{BuiltinError, Operands};
use regent_core::value::{Number, Value, View};

use super::calendar;

const NANOSECONDS: i128 = 1_000_000_000;
const SECONDS_OF_DAY: i128 = 86_400;

/// A time in a zone.
#[derive(Debug, Clone)]
pub(super) struct Moment(Zoned);

impl Moment {
    /// What an operand says: a number of nanoseconds, or an array of it, a zone and a layout, of which the latter two
    /// may be missing.
    pub(super) fn of(operands: Operands<'_>, position: usize) -> Result<(Self, Option<&str>), BuiltinError> {
        let operand = operands.any(position);
        // Whichever operand is wrong, OPA says that it is the first.
        let wrong = |found: &Value, what: &str| {
            BuiltinError::operand(0, format_args!("must be {what} but got {}", found.type_name()))
        };
        let text = |item: &'_ Value| item.as_str().map(str::to_owned).ok_or_else(|| wrong(item, "string"));
        let number = |item: &Value| item.as_number().ok_or_else(|| wrong(item, "number"));
        match operand.view() {
            View::Number(nanoseconds) => Ok((Self::new(&nanoseconds, TimeZone::UTC)?, None)),
            View::Array([first, rest @ ..]) => {
                let nanoseconds = number(first)?;
                let zone = rest.first().map(text).transpose()?;
                let zone = zone.map_or(Ok(TimeZone::UTC), |name| zone_of(&name))?;
                let layout = rest.get(1).map(|item| item.as_str().ok_or_else(|| wrong(item, "string"))).transpose()?;
                Ok((Self::new(&nanoseconds, zone)?, layout))
            }
            _ => Err(wrong(operand, "either number (ns) or [number (ns), string (tz)]")),
        }
    }

    fn new(nanoseconds: &Number, zone: TimeZone) -> Result<Self, BuiltinError> {
        let too_big = || BuiltinError::failed("timestamp too big");
        let nanoseconds = nanoseconds.as_i64().ok_or_else(too_big)?;
        let timestamp = Timestamp::from_nanosecond(nanoseconds.into()).map_err(|_| too_big())?;
        Ok(Self(timestamp.to_zoned(zone)))
    }

    /// The same time elsewhere.
    pub(super) fn in_zone_of(&self, other: &Self) -> Self {
        Self(self.0.with_time_zone(other.0.time_zone().clone()))
    }

    /// Since 1970.
    pub(super) fn nanoseconds(&self) -> i128 {
        self.0.timestamp().as_nanosecond()
    }

    /// The part of the second.
    pub(super) fn fraction(&self) -> i128 {
        self.nanoseconds().rem_euclid(NANOSECONDS)
    }

    /// Year, month and day.
    pub(super) fn date(&self) -> [i64; 3] {
        [self.0.year().into(), self.0.month().into(), self.0.day().into()]
    }

    /// Hour, minute and second.
    pub(super) fn clock(&self) -> [i64; 3] {
        [self.0.hour().into(), self.0.minute().into(), self.0.second().into()]
    }

    /// Counted from Sunday.
    pub(super) fn weekday(&self) -> usize {
        usize::try_from(self.0.weekday().to_sunday_zero_offset()).expect("is within the week")
    }

    /// Seconds east of Greenwich.
    pub(super) fn offset(&self) -> i64 {
        self.0.offset().seconds().into()
    }

    /// The short name of the zone at that time.
    pub(super) fn zone_name(&self) -> String {
        self.0.time_zone().to_offset_info(self.0.timestamp()).abbreviation().to_owned()
    }

    /// The nanoseconds of the time of the same clock so many years, months and days later. What a month does not have
    /// counts on into the next.
    pub(super) fn plus(&self, years: i128, months: i128, days: i128) -> i128 {
        let [year, month, day] = self.date().map(i128::from);
        let [hour, minute, second] = self.clock().map(i128::from);
        let days = calendar::days_since_epoch(year + years, month + months) + day - 1 + days;
        let local = days * SECONDS_OF_DAY + hour * 3600 + minute * 60 + second;
        let offset = |seconds: i128| {
            let timestamp = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
            timestamp.map_or(0, |timestamp| i128::from(self.0.time_zone().to_offset(timestamp).seconds()))
        };
        // A first guess takes the local time for that of Greenwich; it is wrong only next to a change of the offset.
        let guess = offset(local);
        let offset = if guess == 0 { 0 } else { offset(local - guess) };
        (local - offset) * NANOSECONDS + self.fraction()
    }
}

/// The zone of a name.
fn zone_of(name: &str) -> Result<TimeZone, BuiltinError> {
    match name {
        "" | "UTC" => return Ok(TimeZone::UTC),
        "Local" => return Ok(TimeZone::system()),
        _ => {}
    }
    if name.starts_with(['/', '\\']) || name.contains("..") || name.contains('\\') {
        return Err(BuiltinError::failed("time: invalid location name"));
    }
    TimeZone::get(name).map_err(|_| BuiltinError::failed(format!("unknown time zone {name}")))
}
