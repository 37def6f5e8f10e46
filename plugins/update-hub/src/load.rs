//! How many clients may connect at a time, all of them together.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::config::LoadLimit;

/// Counts who asks, in windows that begin with the first who does.
pub(crate) struct Load {
    limit: Option<LoadLimit>,
    window: Mutex<Option<(Instant, u32)>>,
}

impl Load {
    pub(crate) fn new(limit: Option<LoadLimit>) -> Self {
        Self { limit, window: Mutex::new(None) }
    }

    /// Lets one in.
    ///
    /// # Errors
    /// The limit, if it is reached.
    pub(crate) fn admits(&self) -> Result<(), LoadLimit> {
        self.admits_at(Instant::now())
    }

    fn admits_at(&self, now: Instant) -> Result<(), LoadLimit> {
        let Some(limit) = self.limit else { return Ok(()) };
        // Nothing that is done while it is held leaves it half done.
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = window.filter(|(since, _)| now.duration_since(*since) < limit.per).unwrap_or((now, 0));
        if count >= limit.count {
            return Err(limit);
        }
        *window = Some((since, count + 1));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn so_many_get_in_within_a_time() {
        let limit = LoadLimit { count: 2, per: Duration::from_mins(1), unit: "minute" };
        let (load, now) = (Load::new(Some(limit)), Instant::now());
        assert_eq!(load.admits_at(now), Ok(()));
        assert_eq!(load.admits_at(now), Ok(()));
        assert_eq!(load.admits_at(now).map_err(|limit| limit.to_string()), Err("2 per 1 minute".to_owned()));
        assert_eq!(load.admits_at(now + Duration::from_mins(1)), Ok(()));
        assert_eq!(Load::new(None).admits_at(now), Ok(()));
    }
}
