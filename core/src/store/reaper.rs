//! Where states end that nobody looks at any more.
//!
//! To take a large state apart takes as long as to free a million values one by one. Whoever looked at it last would have
//! to do that, and that may be a thread that answers a request. So every state that another has replaced waits here until
//! nobody else holds it, and ends on a thread that goes behind all others.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::Builder;
use std::time::Duration;

use super::Snapshot;
use crate::parallel::{LOWEST, yield_to_others};

/// States that may wait to be looked at. Should there be more, writers take their states apart themselves.
const MOST: usize = 64;

/// Between two looks at states that somebody still holds.
const PAUSE: Duration = Duration::from_millis(20);

/// Takes a state that has been replaced.
pub(super) fn reap(state: Arc<Snapshot>) {
    static THREAD: OnceLock<Option<SyncSender<Arc<Snapshot>>>> = OnceLock::new();
    if let Some(thread) = THREAD.get_or_init(start) {
        // What comes back is dropped here: on a writer's thread, where that may take its time.
        drop(thread.try_send(state));
    }
}

fn start() -> Option<SyncSender<Arc<Snapshot>>> {
    let (sender, states) = sync_channel(MOST);
    let work = move || {
        yield_to_others(LOWEST);
        work_through(&states);
    };
    Builder::new().name("reaper".to_owned()).spawn(work).ok()?;
    Some(sender)
}

fn work_through<T>(states: &Receiver<Arc<T>>) {
    let mut held = Vec::new();
    loop {
        let next = if held.is_empty() {
            states.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            states.recv_timeout(PAUSE)
        };
        match next {
            Ok(state) => held.push(state),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        // Nobody can come to hold a state again that only this thread holds.
        held.retain(|state| Arc::strong_count(state) > 1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;
    use std::thread;

    use super::*;

    /// Tells where it ended.
    struct Told(Sender<Option<String>>);

    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.send(thread::current().name().map(str::to_owned));
        }
    }

    #[test]
    fn whoever_lets_go_last_does_not_take_it_apart() {
        let (told, endings) = std::sync::mpsc::channel();
        let (reaper, states) = sync_channel(MOST);
        let thread = Builder::new().name("test of the reaper".to_owned()).spawn(move || work_through(&states));
        let held: Vec<_> = (0..3).map(|_| Arc::new(Told(told.clone()))).collect();
        for state in &held {
            reaper.send(state.clone()).expect("there is room");
        }
        thread::sleep(3 * PAUSE);
        assert!(endings.try_recv().is_err(), "somebody still holds them");
        drop(held);
        for _ in 0..3 {
            let ended_on = endings.recv_timeout(Duration::from_secs(30)).expect("it ends");
            assert_eq!(ended_on.as_deref(), Some("test of the reaper"));
        }
        drop(reaper);
        thread.expect("a thread").join().expect("it ends with its channel");
    }
}
