//! Time: in nanoseconds since 1970, in zones, in the layouts of Go's `time`.

mod calendar;
mod format;
mod layout;
mod moment;
mod parse;

use moment::Moment;
use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::duration;
use regent_core::value::Value;

use super::operand::integer;
use super::table::{Entry, function};

const RFC3339: &str = "2006-01-02T15:04:05Z07:00";
const RFC3339_NANO: &str = "2006-01-02T15:04:05.999999999Z07:00";

/// Layouts that have names.
const NAMED: &[(&str, &str)] = &[
    ("ANSIC", "Mon Jan _2 15:04:05 2006"),
    ("UnixDate", "Mon Jan _2 15:04:05 MST 2006"),
    ("RubyDate", "Mon Jan 02 15:04:05 -0700 2006"),
    ("RFC822", "02 Jan 06 15:04 MST"),
    ("RFC822Z", "02 Jan 06 15:04 -0700"),
    ("RFC850", "Monday, 02-Jan-06 15:04:05 MST"),
    ("RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"),
    ("RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"),
    ("RFC3339", RFC3339),
    ("RFC3339Nano", RFC3339_NANO),
];

pub(super) const TABLE: &[Entry] = &[
    function("time.now_ns() => now: number", "Gives the time of the query.", |_, call| Ok(Some(call.now.into())))
        .nondeterministic(),
    function(
        "time.parse_ns(layout: string, value: string) => ns: number",
        "Reads a time in a layout, written as Go would write its reference time.",
        |operands, _| parsed(named(operands.string(0)?), operands.string(1)?),
    ),
    function(
        "time.parse_rfc3339_ns(value: string) => ns: number",
        "Reads a time as RFC 3339 has it.",
        |operands, _| parsed(RFC3339, operands.string(0)?),
    ),
    function(
        "time.parse_duration_ns(duration: string) => ns: number",
        "Reads a duration such as `1h30m` into nanoseconds.",
        |operands, _| Ok(Some(duration::parse(operands.string(0)?).map_err(BuiltinError::failed)?.into())),
    ),
    function(
        "time.format(x: any<number, array<number, string>, array<number, string, string>>) => formatted timestamp: string",
        "Writes a time, if wanted in a zone and in a layout.",
        |operands, _| {
            let (moment, layout) = Moment::of(operands, 0)?;
            let layout = layout.filter(|layout| !layout.is_empty()).map_or(RFC3339_NANO, named);
            Ok(Some(format::format(layout, &moment).into()))
        },
    ),
    function(
        "time.date(x: any<number, array<number, string>>) => date: array<number, number, number>",
        "Gives year, month and day.",
        |operands, _| Ok(Some(Value::array(Moment::of(operands, 0)?.0.date()))),
    ),
    function(
        "time.clock(x: any<number, array<number, string>>) => output: array<number, number, number>",
        "Gives hour, minute and second.",
        |operands, _| Ok(Some(Value::array(Moment::of(operands, 0)?.0.clock()))),
    ),
    function(
        "time.weekday(x: any<number, array<number, string>>) => day: string",
        "Gives the name of the day.",
        |operands, _| Ok(Some(calendar::DAYS[Moment::of(operands, 0)?.0.weekday()].into())),
    ),
    function(
        "time.add_date(ns: number, years: number, months: number, days: number) => output: number",
        "Adds years, months and days to a time.",
        add_date,
    ),
    function(
        "time.diff(ns1: any<number, array<number, string>>, ns2: any<number, array<number, string>>) => output: array<number, number, number, number, number, number>",
        "Gives years, months, days, hours, minutes and seconds between two times.",
        diff,
    ),
];

/// The layout of that name, or the text as a layout.
fn named(layout: &str) -> &str {
    NAMED.iter().find(|(name, _)| *name == layout).map_or(layout, |(_, layout)| layout)
}

/// Whether the text is a time in the layout.
pub(super) fn is_time(layout: &str, text: &str) -> bool {
    parse::parse(layout, text).is_ok()
}

/// A time within 64 bits of nanoseconds.
fn within_range(nanoseconds: i128) -> Outcome {
    match i64::try_from(nanoseconds) {
        Ok(nanoseconds) => Ok(Some(nanoseconds.into())),
        Err(_) => Err(BuiltinError::failed("time outside of valid range")),
    }
}

fn parsed(layout: &str, value: &str) -> Outcome {
    within_range(parse::parse(layout, value).map_err(BuiltinError::failed)?)
}

fn add_date(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (moment, _) = Moment::of(operands, 0)?;
    let (years, months, days) = (integer(operands, 1)?, integer(operands, 2)?, integer(operands, 3)?);
    within_range(moment.plus(years.into(), months.into(), days.into()))
}

fn diff(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (first, _) = Moment::of(operands, 0)?;
    let second = Moment::of(operands, 1)?.0.in_zone_of(&first);
    let (from, to) = if first.nanoseconds() > second.nanoseconds() { (second, first) } else { (first, second) };
    let (from_date, to_date) = (from.date(), to.date());
    let (from_clock, to_clock) = (from.clock(), to.clock());
    let mut parts: Vec<i64> =
        (0..3).map(|at| to_date[at] - from_date[at]).chain((0..3).map(|at| to_clock[at] - from_clock[at])).collect();
    let month_length = calendar::month_length(from_date[0], from_date[1]);
    // From the seconds up, what is negative borrows from the next larger.
    for (at, size) in [(5, 60), (4, 60), (3, 24), (2, month_length), (1, 12)] {
        if parts[at] < 0 {
            parts[at] += size;
            parts[at - 1] -= 1;
        }
    }
    Ok(Some(parts.into()))
}

#[cfg(test)]
mod tests;
