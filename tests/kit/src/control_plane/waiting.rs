//! Waiting for what the control plane receives: woken by each arrival, never by a clock but the limit's.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::ControlPlane;
use super::journal::{Journal, Received};
use crate::Error;

impl ControlPlane {
    /// Waits until at least `n` decisions have arrived since the start, and returns all there are.
    pub async fn wait_for_events(&self, n: usize, limit: Duration) -> Result<Vec<Value>, Error> {
        let enough = |journal: &Journal| (journal.events().count() >= n).then(|| journal.events().cloned().collect());
        self.wait_for(limit, &format!("{n} decisions"), enough).await
    }

    /// Waits for a status report that fits, and returns the first; those that came before the call count too.
    pub async fn wait_for_status(
        &self,
        limit: Duration,
        mut predicate: impl FnMut(&Value) -> bool,
    ) -> Result<Value, Error> {
        let mut seen = 0;
        let fitting = |journal: &Journal| first_new(&journal.statuses, &mut seen, &mut predicate);
        self.wait_for(limit, "a fitting status report", fitting).await
    }

    /// Waits for a request that fits, and returns the first; those that came before the call count too.
    pub async fn wait_for_request(
        &self,
        limit: Duration,
        mut predicate: impl FnMut(&Received) -> bool,
    ) -> Result<Received, Error> {
        let mut seen = 0;
        let fitting = |journal: &Journal| first_new(&journal.requests, &mut seen, &mut predicate);
        self.wait_for(limit, "a fitting request", fitting).await
    }

    /// Waits until at least `n` requests for a path (without its query) have arrived, and returns all of them.
    pub async fn wait_for_requests(&self, path: &str, n: usize, limit: Duration) -> Result<Vec<Received>, Error> {
        let enough = |journal: &Journal| {
            let requests = journal.requests.iter().filter(|request| request.bare_path() == path);
            (requests.clone().count() >= n).then(|| requests.cloned().collect())
        };
        self.wait_for(limit, &format!("{n} requests for `{path}`"), enough).await
    }

    async fn wait_for<T>(
        &self,
        limit: Duration,
        what: &str,
        mut look: impl FnMut(&Journal) -> Option<T>,
    ) -> Result<T, Error> {
        let mut journal = self.shared.journal.subscribe();
        let search = async {
            loop {
                let found = look(&journal.borrow_and_update());
                if let Some(found) = found {
                    return found;
                }
                journal.changed().await.expect("`self` keeps the sender");
            }
        };
        let outcome = timeout(limit, search).await;
        outcome.map_err(|_| Error::new(format!("{what}: not within {limit:?}; arrived so far:{}", *journal.borrow())))
    }
}

/// Looks at each item once, however often it is called.
fn first_new<T: Clone>(items: &[T], seen: &mut usize, mut predicate: impl FnMut(&T) -> bool) -> Option<T> {
    let new = &items[*seen..];
    *seen = items.len();
    new.iter().find(|item| predicate(item)).cloned()
}
