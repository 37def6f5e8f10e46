//! Writing times.

use std::fmt::Write as _;

use super::calendar::{DAYS, MONTHS, day_of_year};
use super::layout::{self, Field, Offset, Parts};
use super::moment::Moment;

/// The time in the layout.
pub(super) fn format(layout: &str, moment: &Moment) -> String {
    let mut out = String::with_capacity(layout.len() + 10);
    let mut rest = layout;
    loop {
        let (before, field, after) = layout::next(rest);
        out.push_str(before);
        let Some((field, text)) = field else {
            return out;
        };
        write(&mut out, field, text, moment).expect("a string takes all that is written to it");
        rest = after;
    }
}

fn write(out: &mut String, field: Field, text: &str, moment: &Moment) -> std::fmt::Result {
    let [year, month, day] = moment.date();
    let [hour, minute, second] = moment.clock();
    let hour12 = if hour % 12 == 0 { 12 } else { hour % 12 };
    let month_name = MONTHS[usize::try_from(month - 1).expect("months count from 1")];
    let day_name = DAYS[moment.weekday()];
    match field {
        Field::LongMonth => write!(out, "{month_name}"),
        Field::Month => write!(out, "{}", &month_name[..3]),
        Field::NumMonth => write!(out, "{month}"),
        Field::ZeroMonth => write!(out, "{month:02}"),
        Field::LongWeekday => write!(out, "{day_name}"),
        Field::Weekday => write!(out, "{}", &day_name[..3]),
        Field::Day => write!(out, "{day}"),
        Field::UnderDay => write!(out, "{day:2}"),
        Field::ZeroDay => write!(out, "{day:02}"),
        Field::UnderYearDay => write!(out, "{:3}", day_of_year(year, month, day)),
        Field::ZeroYearDay => write!(out, "{:03}", day_of_year(year, month, day)),
        Field::Hour => write!(out, "{hour:02}"),
        Field::Hour12 => write!(out, "{hour12}"),
        Field::ZeroHour12 => write!(out, "{hour12:02}"),
        Field::Minute => write!(out, "{minute}"),
        Field::ZeroMinute => write!(out, "{minute:02}"),
        Field::Second => write!(out, "{second}"),
        Field::ZeroSecond => write!(out, "{second:02}"),
        Field::LongYear => write!(out, "{year:04}"),
        Field::Year => write!(out, "{:02}", year % 100),
        Field::UpperHalf => write!(out, "{}", if hour < 12 { "AM" } else { "PM" }),
        Field::LowerHalf => write!(out, "{}", if hour < 12 { "am" } else { "pm" }),
        Field::ZoneName => write!(out, "{}", moment.zone_name()),
        Field::Offset(form) => write_offset(out, form, moment.offset()),
        Field::FixedFraction(count) => write_fraction(out, text, moment, count, false),
        Field::Fraction(count) => write_fraction(out, text, moment, count, true),
    }
}

fn write_offset(out: &mut String, form: Offset, offset: i64) -> std::fmt::Result {
    if form.z && offset == 0 {
        out.push('Z');
        return Ok(());
    }
    let seconds = offset.abs();
    let colon = if form.colons { ":" } else { "" };
    // Less than a minute is no negative offset to Go.
    write!(out, "{}{:02}", if offset <= -60 { '-' } else { '+' }, seconds / 3600)?;
    if form.parts >= Parts::Minutes {
        write!(out, "{colon}{:02}", seconds / 60 % 60)?;
    }
    if form.parts == Parts::Seconds {
        write!(out, "{colon}{:02}", seconds % 60)?;
    }
    Ok(())
}

fn write_fraction(out: &mut String, text: &str, moment: &Moment, count: usize, trimmed: bool) -> std::fmt::Result {
    let digits = format!("{:09}", moment.fraction());
    let mut digits = &digits[..count.min(9)];
    if trimmed {
        digits = digits.trim_end_matches('0');
        if digits.is_empty() {
            return Ok(());
        }
    }
    write!(out, "{}{digits}", &text[..1])
}
