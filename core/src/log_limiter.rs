//! Keeps a warning that may become due very often from filling the log.

use std::time::{Duration, Instant};

/// Time between two warnings.
const PAUSE: Duration = Duration::from_mins(1);

/// Lets a warning be logged at most once a minute, and then says how often it became due.
#[derive(Debug, Default)]
pub struct LogLimiter {
    logged: Option<Instant>,
    unlogged: u64,
}

impl LogLimiter {
    /// Takes note that it became due so often; hands out the number of times since it was last logged, if it is time to
    /// log it.
    pub fn due(&mut self, times: u64) -> Option<u64> {
        self.due_at(times, Instant::now())
    }

    /// As [`LogLimiter::due`], at a moment that the caller knows.
    pub fn due_at(&mut self, times: u64, now: Instant) -> Option<u64> {
        self.unlogged += times;
        if self.unlogged == 0 || self.logged.is_some_and(|logged| now.duration_since(logged) < PAUSE) {
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.unlogged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_time_is_logged_at_once_and_then_there_is_a_pause() {
        let (mut limiter, start) = (LogLimiter::default(), Instant::now());
        assert_eq!(limiter.due_at(0, start), None);
        assert_eq!(limiter.due_at(2, start), Some(2));
        assert_eq!(limiter.due_at(1, start), None);
        assert_eq!(limiter.due_at(2, start + PAUSE), Some(3));
        assert_eq!(limiter.due_at(0, start + 2 * PAUSE), None);
    }
}
