//! Waiting for a moment that there may not be.

use tokio::time::{Instant, sleep_until};

/// Waits for the moment; forever, if there is none.
pub async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_moment_comes_when_it_is_due_and_none_never_does() {
        let due = Instant::now() + Duration::from_secs(5);
        reached(Some(due)).await;
        assert_eq!(Instant::now(), due);
        let never = tokio::time::timeout(Duration::from_hours(1), reached(None)).await;
        assert!(never.is_err());
    }
}
