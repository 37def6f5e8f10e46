//! How long to wait after a failure.

use std::time::Duration;

use rand::RngExt as _;

const BASE: f64 = 0.1;
const FACTOR: f64 = 1.6;
const JITTER: f64 = 0.2;

/// The wait before the next try after a number of failures in a row: none after the first, then growing from 100 ms up
/// to `longest`.
pub(crate) fn delay(failures: u32, longest: Duration) -> Duration {
    let exponent = match failures {
        0 | 1 => return Duration::ZERO,
        more => i32::try_from(more - 1).unwrap_or(i32::MAX),
    };
    let seconds = (BASE * FACTOR.powi(exponent)).min(longest.as_secs_f64());
    Duration::from_secs_f64(seconds * rand::rng().random_range(1.0 - JITTER..=1.0 + JITTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_is_at_once_and_later_ones_wait_longer_and_longer_up_to_a_limit() {
        let longest = Duration::from_secs(2);
        assert_eq!(delay(1, longest), Duration::ZERO);
        assert!((0.128..=0.192).contains(&delay(2, longest).as_secs_f64()));
        assert!((0.204..=0.308).contains(&delay(3, longest).as_secs_f64()));
        assert!((1.6..=2.4).contains(&delay(1_000_000, longest).as_secs_f64()));
    }
}
