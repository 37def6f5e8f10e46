//! A value that is worked with on threads where blocking is allowed.

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A value that is worked with on threads where blocking is allowed, by one piece of work at a time. Work goes on if
/// nobody waits for it any more, and the next one begins behind it: nothing is lost by not waiting.
pub struct Offloaded<T> {
    /// Away only while it is worked with.
    value: Option<T>,
    away: Option<JoinHandle<T>>,
}

impl<T: Send + 'static> Offloaded<T> {
    /// With the value on it.
    pub fn new(value: T) -> Self {
        Self { value: Some(value), away: None }
    }

    /// The value, unless it is worked with: work that was not waited for may still go on.
    pub fn idle(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The value, once it is not worked with.
    ///
    /// # Panics
    /// As work that nobody waited for did.
    pub async fn value(&mut self) -> &mut T {
        if let Some(away) = &mut self.away {
            let back = away.await;
            self.away = None;
            self.value = Some(back.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())));
        }
        self.value.as_mut().expect("it has come back")
    }

    /// Works with the value.
    ///
    /// # Panics
    /// As the work does.
    pub async fn work<R: Send + 'static>(&mut self, work: impl FnOnce(&mut T) -> R + Send + 'static) -> R {
        self.value().await;
        let mut value = self.value.take().expect("it has come back");
        let (done, result) = oneshot::channel();
        self.away = Some(tokio::task::spawn_blocking(move || {
            let _unheard = done.send(work(&mut value));
            value
        }));
        self.value().await;
        result.await.expect("work that has ended has sent its result")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn work_goes_on_unheard_and_the_next_begins_behind_it() {
        let mut list = Offloaded::new(Vec::new());
        let (go, wait) = mpsc::channel();
        let slow = list.work(move |list: &mut Vec<i32>| {
            wait.recv().expect("the test says when");
            list.push(1);
        });
        // One look has it begin; then nobody waits for it any more.
        assert!(slow.now_or_never().is_none());
        assert_eq!(list.idle(), None);
        go.send(()).expect("it waits");
        list.work(|list| list.push(2)).await;
        assert_eq!(list.idle(), Some(&vec![1, 2]));
    }

    #[tokio::test]
    async fn a_panic_is_that_of_whoever_waits() {
        let waiting = tokio::spawn(async { Offloaded::new(1).work(|_| panic!("no good")).await });
        let panic = waiting.await.expect_err("it panics").into_panic();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"no good"));
    }
}
