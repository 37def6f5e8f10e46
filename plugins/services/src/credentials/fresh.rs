//! Something that expires, asked for once on behalf of all who need it.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::failure::Failure;

/// What was given, and until when it holds.
#[derive(Clone)]
pub(crate) struct Lasting<T> {
    pub(crate) value: T,
    /// None if it holds for ever.
    pub(crate) until: Option<Instant>,
}

impl<T> Lasting<T> {
    /// Something that holds for so long from now on.
    pub(crate) fn over(value: T, time: Duration) -> Self {
        Self { value, until: Instant::now().checked_add(time) }
    }
}

/// The last outcome of asking. At most one request asks at a time; those that come meanwhile share its outcome, good or
/// bad, so a slow answer is waited for once and not once by each.
pub(crate) struct Fresh<T> {
    /// How long before the end a new one is asked for.
    margin: Duration,
    /// A lock, because the requests of any number of plugins meet here. It is held while asking: that is the point.
    last: Mutex<Option<Result<Lasting<T>, Failure>>>,
    /// How many times asking has come to an end.
    ended: AtomicU64,
}

impl<T: Clone> Fresh<T> {
    pub(crate) fn new(margin: Duration) -> Self {
        Self { margin, last: Mutex::new(None), ended: AtomicU64::new(0) }
    }

    /// What holds now; `ask` is only polled if nothing does. Who gives up while asking leaves it to the next one.
    pub(crate) async fn get(
        &self,
        ask: impl Future<Output = Result<Lasting<T>, Failure>> + Send,
    ) -> Result<T, Failure> {
        let ended = self.ended.load(Ordering::Acquire);
        let mut last = self.last.lock().await;
        let came_meanwhile = self.ended.load(Ordering::Acquire) != ended;
        match &*last {
            Some(outcome) if came_meanwhile => return outcome.clone().map(|lasting| lasting.value),
            Some(Ok(lasting)) if self.holds(lasting) => return Ok(lasting.value.clone()),
            _ => {}
        }
        let outcome = ask.await;
        *last = Some(outcome.clone());
        self.ended.fetch_add(1, Ordering::Release);
        outcome.map(|lasting| lasting.value)
    }

    /// Forgets what holds if it is what was refused. If someone asks just now, it is forgotten anyway.
    pub(crate) fn forget(&self, is_refused: impl FnOnce(&T) -> bool) {
        let Ok(mut last) = self.last.try_lock() else { return };
        if last.as_ref().is_some_and(|outcome| outcome.as_ref().is_ok_and(|lasting| is_refused(&lasting.value))) {
            *last = None;
        }
    }

    fn holds(&self, lasting: &Lasting<T>) -> bool {
        lasting.until.is_none_or(|until| until.saturating_duration_since(Instant::now()) >= self.margin)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::oneshot;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn fresh() -> Arc<Fresh<u8>> {
        Arc::new(Fresh::new(Duration::from_secs(10)))
    }

    /// Whether a future, polled once, is not done.
    async fn polled(future: impl Future + Unpin) -> bool {
        tokio::time::timeout(Duration::ZERO, future).await.is_err()
    }

    fn never() -> impl Future<Output = Result<Lasting<u8>, Failure>> {
        std::future::poll_fn(|_| panic!("nobody has to ask"))
    }

    #[tokio::test]
    async fn what_holds_is_not_asked_for_again() {
        let fresh = fresh();
        assert_eq!(fresh.get(async { Ok(Lasting::over(1, HOUR)) }).await.ok(), Some(1));
        assert_eq!(fresh.get(never()).await.ok(), Some(1));
    }

    #[tokio::test]
    async fn what_is_about_to_end_is_used_once() {
        let fresh = fresh();
        for value in 1..4 {
            let short = async { Ok(Lasting::over(value, Duration::from_secs(9))) };
            assert_eq!(fresh.get(short).await.ok(), Some(value));
        }
    }

    /// One that asks until it is told the outcome, and others that wait meanwhile.
    async fn shared(outcome: Result<Lasting<u8>, Failure>) -> (Arc<Fresh<u8>>, Vec<Result<u8, String>>) {
        let (fresh, (tell, told)) = (fresh(), oneshot::channel::<()>());
        let (asking, asked) = oneshot::channel::<()>();
        let leader = tokio::spawn({
            let fresh = fresh.clone();
            async move {
                let ask = async {
                    asking.send(()).expect("the test waits");
                    told.await.expect("the test tells");
                    outcome
                };
                fresh.get(ask).await
            }
        });
        asked.await.expect("the leader asks");
        let mut others: Vec<_> = (0..8).map(|_| Box::pin(fresh.get(never()))).collect();
        for other in &mut others {
            assert!(polled(other).await);
        }
        tell.send(()).expect("the leader waits");
        let mut outcomes = vec![leader.await.expect("no panic").map_err(|failure| failure.to_string())];
        for other in others {
            outcomes.push(other.await.map_err(|failure| failure.to_string()));
        }
        (fresh, outcomes)
    }

    #[tokio::test]
    async fn those_who_wait_share_the_outcome() {
        let (_, outcomes) = shared(Ok(Lasting::over(7, Duration::ZERO))).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Ok(7)), "{outcomes:?}");
        let (fresh, outcomes) = shared(Err(Failure::unavailable("down"))).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Err("down".to_owned())), "{outcomes:?}");
        assert_eq!(fresh.get(async { Ok(Lasting::over(1, HOUR)) }).await.ok(), Some(1), "a failure is not kept");
    }

    #[tokio::test]
    async fn what_was_refused_is_asked_for_again_unless_it_is_another() {
        let fresh = fresh();
        for value in [1, 2] {
            assert_eq!(fresh.get(async move { Ok(Lasting::over(value, HOUR)) }).await.ok(), Some(value));
            fresh.forget(|held| *held == value + 1);
            assert_eq!(fresh.get(never()).await.ok(), Some(value));
            fresh.forget(|held| *held == value);
        }
    }

    #[tokio::test]
    async fn who_gives_up_leaves_it_to_the_next() {
        let fresh = fresh();
        let mut first = Box::pin(fresh.get(std::future::pending()));
        assert!(polled(&mut first).await);
        drop(first);
        assert_eq!(fresh.get(async { Ok(Lasting::over(2, HOUR)) }).await.ok(), Some(2));
    }
}
