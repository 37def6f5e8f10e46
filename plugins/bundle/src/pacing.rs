//! When to ask again. Pure: randomness comes in as a number from 0 to 1.

use std::ops::RangeInclusive;
use std::time::Duration;

/// The wait before the second retry; the first one is not waited for.
const BASE: f64 = 0.1;

/// What each further failure multiplies the wait with.
const FACTOR: f64 = 1.6;

/// How far chance moves a wait, up and down.
const JITTER: f64 = 0.2;

/// The wait after success: anywhere in the range.
pub(crate) fn after_success(range: &RangeInclusive<Duration>, random: f64) -> Duration {
    let (start, end) = (range.start().as_secs_f64(), range.end().as_secs_f64());
    Duration::from_secs_f64(start + (end - start).max(0.0) * random)
}

/// The wait after that many failures in a row, at most `cap`.
pub(crate) fn after_failures(failures: u32, cap: Duration, random: f64) -> Duration {
    if failures <= 1 {
        return Duration::ZERO;
    }
    let exponent = i32::try_from(failures - 1).unwrap_or(i32::MAX);
    let wait = (BASE * FACTOR.powi(exponent)).min(cap.as_secs_f64());
    let moved = wait * (1.0 + JITTER * (random * 2.0 - 1.0));
    Duration::from_secs_f64(moved.min(cap.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn success_is_followed_by_a_wait_within_the_range() {
        let range = MS(1000)..=MS(3000);
        assert_eq!(after_success(&range, 0.0), MS(1000));
        assert_eq!(after_success(&range, 0.5), MS(2000));
        assert_eq!(after_success(&(MS(0)..=MS(0)), 0.9), MS(0));
    }

    #[test]
    fn failures_are_followed_by_growing_waits_up_to_the_cap() {
        let wait = |failures| after_failures(failures, MS(1000), 0.5).as_millis();
        assert_eq!([1, 2, 3, 4, 9, u32::MAX].map(wait), [0, 160, 256, 409, 1000, 1000]);
        assert_eq!(after_failures(2, MS(1000), 0.0), MS(128));
        assert_eq!(after_failures(2, MS(1000), 1.0), MS(192));
    }
}
