//! The Gregorian calendar, without an end in either direction.

/// From Sunday on.
pub(super) const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// From January on.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Number of days of a month, which is counted from 1.
pub(super) fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day of the year, counted from 1.
pub(super) fn day_of_year(year: i64, month: i64, day: i64) -> i64 {
    (1..month).map(|month| month_length(year, month)).sum::<i64>() + day
}

/// Days since 1970 of the first of a month; months beyond the twelve count on into other years.
pub(super) fn days_since_epoch(year: i128, month: i128) -> i128 {
    let months = year * 12 + month - 1;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leaps + (month * 153 + 2) / 5 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        for (year, month, days) in
            [(1970, 1, 0), (1970, 3, 59), (2000, 3, 11017), (1969, 12, -31), (1, 1, -719_162), (1969, 13, 0)]
        {
            assert_eq!(days_since_epoch(year, month), days, "{year}-{month}");
        }
    }
}
