//! What is done once, on a thread of its own.

use std::sync::mpsc;
use std::time::Duration;

/// What the work gives, if that is within the time; the thread goes on otherwise. Nothing, too, if it panics.
pub(crate) fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name("plugin library".to_owned());
    thread.spawn(move || drop(done.send(work()))).ok()?;
    result.recv_timeout(limit).ok()
}
