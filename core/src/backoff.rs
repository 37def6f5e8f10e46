//! How long to wait after failures, as OPA does: the first retry comes at once, later ones after growing waits.

use std::time::Duration;

use rand::RngExt as _;

/// Seconds that the wait before the second retry grows from.
const BASE: f64 = 0.1;

/// What each further failure multiplies the wait with.
const FACTOR: f64 = 1.6;

/// How far chance moves a wait, up and down.
const JITTER: f64 = 0.2;

/// The wait after that many failures in a row: none after the first, then growing from 160 ms up to `longest`, give or
/// take a fifth. A `longest` of less than 100 ms counts as 100 ms, so that nobody is asked without a pause.
pub fn after(failures: u32, longest: Duration) -> Duration {
    let exponent = match failures {
        0 | 1 => return Duration::ZERO,
        more => i32::try_from(more - 1).unwrap_or(i32::MAX),
    };
    let seconds = (BASE * FACTOR.powi(exponent)).min(longest.as_secs_f64().max(BASE));
    let moved = seconds * rand::rng().random_range(1.0 - JITTER..=1.0 + JITTER);
    Duration::try_from_secs_f64(moved).unwrap_or(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_is_at_once_and_later_ones_wait_longer_and_longer_up_to_a_limit() {
        let longest = Duration::from_secs(2);
        let wait = |failures| after(failures, longest).as_secs_f64();
        assert_eq!(after(1, longest), Duration::ZERO);
        assert!((0.128..=0.192).contains(&wait(2)));
        assert!((0.204..=0.308).contains(&wait(3)));
        assert!((1.6..=2.4).contains(&wait(1_000_000)) && (1.6..=2.4).contains(&wait(u32::MAX)));
    }

    #[test]
    fn no_limit_is_too_small_or_too_large() {
        assert!(after(2, Duration::ZERO) >= Duration::from_millis(80));
        assert!(after(u32::MAX, Duration::MAX) > Duration::from_secs(1 << 40));
    }
}
