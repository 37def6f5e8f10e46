//! A token bucket: `reporting.max_decisions_per_second`.

use std::time::Instant;

/// Lets a number of events pass in each second. The bucket holds one second's worth, and at least one.
#[derive(Debug)]
pub(crate) struct Limiter {
    rate: f64,
    tokens: f64,
    filled: Instant,
}

impl Limiter {
    pub(crate) fn new(rate: f64, now: Instant) -> Self {
        Self { rate, tokens: rate.max(1.0), filled: now }
    }

    /// Whether one more event may pass.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        let new = now.saturating_duration_since(self.filled).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + new).min(self.rate.max(1.0));
        self.filled = now;
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_of_one_second_passes_and_then_the_rate() {
        let start = Instant::now();
        let mut limiter = Limiter::new(2.0, start);
        assert!(limiter.allows(start) && limiter.allows(start) && !limiter.allows(start));
        let later = start + Duration::from_millis(500);
        assert!(limiter.allows(later) && !limiter.allows(later));
    }

    #[test]
    fn a_rate_below_one_lets_single_events_pass() {
        let start = Instant::now();
        let mut limiter = Limiter::new(0.5, start);
        assert!(limiter.allows(start) && !limiter.allows(start + Duration::from_secs(1)));
        assert!(limiter.allows(start + Duration::from_secs(2)));
    }
}
