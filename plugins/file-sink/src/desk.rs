//! A value that is worked with on threads where blocking is allowed.

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A value that is worked with on threads where blocking is allowed, by one piece of work at a time. Work goes on if
/// nobody waits for it any more, and the next one begins behind it: nothing is lost by not waiting.
pub(crate) struct Desk<T> {
    /// Away only while it is worked with.
    value: Option<T>,
    away: Option<JoinHandle<T>>,
}

impl<T: Send + 'static> Desk<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Some(value), away: None }
    }

    /// The value, once it is not worked with.
    pub(crate) async fn value(&mut self) -> &mut T {
        if let Some(away) = &mut self.away {
            let back = away.await;
            self.away = None;
            self.value = Some(back.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())));
        }
        self.value.as_mut().expect("it has come back")
    }

    /// Works with the value.
    pub(crate) async fn work<R: Send + 'static>(&mut self, work: impl FnOnce(&mut T) -> R + Send + 'static) -> R {
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
