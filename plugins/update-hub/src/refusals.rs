//! Peers that are refused come back at once, some of them thousands of times a minute. Who keeps at it waits for the refusal.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use std::collections::HashMap;
use tokio::sync::Semaphore;

/// Refusals of one host within [`WINDOW`] that cost nothing.
const FREE: u32 = 5;

/// How long refusals are remembered.
const WINDOW: Duration = Duration::from_secs(10);

/// How long a refusal is held back.
const PAUSE: Duration = Duration::from_secs(1);

/// Most refusals that are held back at a time; others come at once.
const MOST_HELD: usize = 1_000;

/// Most hosts that are remembered.
const MOST_HOSTS: usize = 10_000;

/// Who was refused lately.
pub(crate) struct Refusals {
    hosts: Mutex<HashMap<IpAddr, (Instant, u32)>>,
    held: Semaphore,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { hosts: Mutex::default(), held: Semaphore::new(MOST_HELD) }
    }
}

impl Refusals {
    /// Takes note of a refusal, and waits if there were many.
    pub(crate) async fn pause(&self, host: IpAddr) {
        if self.is_too_often(host, Instant::now())
            && let Ok(_held) = self.held.try_acquire()
        {
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn is_too_often(&self, host: IpAddr, now: Instant) -> bool {
        // Nothing that is done while it is held leaves it half done.
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MOST_HOSTS {
            hosts.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        }
        if hosts.len() >= MOST_HOSTS && !hosts.contains_key(&host) {
            return true;
        }
        let (since, count) = hosts.entry(host).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count > FREE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_refused_again_and_again_waits() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let host = |last| IpAddr::from([10, 0, 0, last]);
        for _ in 0..FREE {
            assert!(!refusals.is_too_often(host(1), now));
        }
        assert!(refusals.is_too_often(host(1), now));
        assert!(!refusals.is_too_often(host(2), now), "others do not");
        assert!(!refusals.is_too_often(host(1), now + WINDOW), "and not for ever");
    }

    #[test]
    fn so_many_hosts_are_remembered_and_no_more() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        for number in 0..u32::try_from(MOST_HOSTS).expect("small") {
            refusals.is_too_often(IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(refusals.is_too_often(IpAddr::from([250, 0, 0, 1]), now));
        assert_eq!(refusals.hosts.lock().expect("it is not poisoned").len(), MOST_HOSTS);
        assert!(!refusals.is_too_often(IpAddr::from([250, 0, 0, 1]), now + WINDOW));
    }
}
