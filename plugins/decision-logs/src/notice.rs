//! Says something at most once a minute, and then how often it happened.

use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_mins(1);

/// A warning that may become due very often.
#[derive(Debug, Default)]
pub(crate) struct Notice {
    last: Option<Instant>,
    unsaid: u64,
}

impl Notice {
    /// Takes note that it happened; hands out the number of times since it was last said if it is time to say it.
    pub(crate) fn happened(&mut self, times: u64) -> Option<u64> {
        self.unsaid += times;
        if self.unsaid == 0 || self.last.is_some_and(|last| last.elapsed() < PAUSE) {
            return None;
        }
        self.last = Some(Instant::now());
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_time_is_said_at_once_and_then_there_is_a_pause() {
        let mut notice = Notice::default();
        assert_eq!(notice.happened(0), None);
        assert_eq!(notice.happened(2), Some(2));
        assert_eq!(notice.happened(1), None);
    }
}
