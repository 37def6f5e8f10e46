//! Work on all cores that leaves requests alone.
//!
//! Whoever calls does a share of the work itself, at its own priority. Helpers take the rest with the lowest priority that
//! there is, so they get what cores have to spare: threads that answer requests go before them. They live no longer than
//! the call. A caller on a request thread would block it, so this is for threads where blocking is allowed.

use std::cell::Cell;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder};

/// How many threads work at most, the caller included. More would wait for memory rather than for a core.
const MOST: usize = 16;

/// For how many items a helper is worth while.
const WORTH: usize = 8;

/// How many pieces of the work there are for each thread, so that one that is slow does not keep the others waiting.
const PIECES: usize = 8;

/// The lowest priority that there is.
pub(crate) const LOWEST: i32 = 19;

/// Stack of helpers: syntax trees may be nested deeply, and are walked on the stack.
const STACK_BYTES: usize = 16 << 20;

thread_local! {
    /// How many threads the calls of this thread may take, if not as many as there are cores.
    static THREADS: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Does work whose calls of [`map`] take that many threads, however many cores there are: 1 for the present one alone.
pub fn with_threads<R>(threads: usize, work: impl FnOnce() -> R) -> R {
    let former = THREADS.replace(Some(threads));
    let result = work();
    THREADS.set(former);
    result
}

/// What a function makes of each item, in the order of the items. Panics if the function does.
pub fn map<T: Send, R: Send>(items: impl IntoIterator<Item = T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let items: Vec<T> = items.into_iter().collect();
    let cores = || thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
    let threads = THREADS.get().unwrap_or_else(cores);
    map_on(threads.min(items.len() / WORTH), items, work)
}

/// The same on that many threads at most.
fn map_on<T: Send, R: Send>(threads: usize, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    if threads < 2 {
        return items.into_iter().map(work).collect();
    }
    let length = items.len();
    let pieces = Pieces::of(items, threads);
    let share = || {
        let mut done = Vec::new();
        while let Some((index, piece)) = pieces.next() {
            done.push((index, piece.into_iter().map(&work).collect::<Vec<R>>()));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let helper = || {
            yield_to_others(LOWEST);
            share()
        };
        // Where there can be no more threads, those that there are do it all.
        let start =
            |_| Builder::new().name("helper".to_owned()).stack_size(STACK_BYTES).spawn_scoped(scope, helper).ok();
        let helpers: Vec<_> = (1..threads).map_while(start).collect();
        let mut done = share();
        for helper in helpers {
            done.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    let mut results = Vec::with_capacity(length);
    results.extend(done.into_iter().flat_map(|(_, piece)| piece));
    results
}

/// What is left to do. A lock, because each piece goes to whichever thread comes first; it is held for one step of an
/// iterator.
struct Pieces<T>(Mutex<std::iter::Enumerate<std::vec::IntoIter<Vec<T>>>>);

impl<T> Pieces<T> {
    fn of(items: Vec<T>, threads: usize) -> Self {
        let size = items.len().div_ceil(threads * PIECES).max(1);
        let mut items = items.into_iter();
        let mut pieces = Vec::new();
        loop {
            let piece: Vec<T> = items.by_ref().take(size).collect();
            if piece.is_empty() {
                return Self(Mutex::new(pieces.into_iter().enumerate()));
            }
            pieces.push(piece);
        }
    }

    fn next(&self) -> Option<(usize, Vec<T>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

/// Has the present thread go behind others: by 1 to 19, of which each step takes about a tenth of its share away.
#[cfg(target_os = "linux")]
pub fn yield_to_others(steps: i32) {
    // The system's threads are processes to this call. Without it the thread works all the same.
    let _refused = rustix::process::setpriority_process(Some(rustix::thread::gettid()), steps);
}

/// Elsewhere, only whole processes have priorities.
#[cfg(not(target_os = "linux"))]
pub fn yield_to_others(_steps: i32) {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_whoever_finds_them() {
        for threads in [1, 2, 3, 16] {
            for length in [0, 1, 2, 7, 64, 1000] {
                let calls = AtomicUsize::new(0);
                let doubled = map_on(threads, (0..length).collect(), |item: usize| {
                    calls.fetch_add(1, Ordering::Relaxed);
                    if item.is_multiple_of(3) {
                        thread::yield_now();
                    }
                    2 * item
                });
                assert_eq!(doubled, (0..length).map(|item| 2 * item).collect::<Vec<_>>(), "{threads} {length}");
                assert_eq!(calls.into_inner(), length, "each item once");
            }
        }
    }

    #[test]
    fn several_threads_work_at_once_and_helpers_go_last() {
        // Each waits for the other, so this only ends if there are two.
        let both = Barrier::new(2);
        let seen = map_on(2, vec![(), ()], |()| {
            both.wait();
            let priority = rustix::process::getpriority_process(Some(rustix::thread::gettid()));
            (thread::current().id(), priority.expect("a thread has a priority"))
        });
        let (threads, priorities): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
        assert_ne!(threads[0], threads[1]);
        let own = threads.iter().position(|thread| *thread == thread::current().id()).expect("the caller works too");
        assert_eq!(priorities[1 - own], 19);
        assert!(priorities[own] < 19, "the caller keeps its priority");
    }

    #[test]
    fn items_may_be_borrowed_and_changed() {
        let mut items = vec![1; 100];
        let before: BTreeSet<i32> = map(&mut items, |item| std::mem::replace(item, 2)).into_iter().collect();
        assert_eq!((before, items), (BTreeSet::from([1]), vec![2; 100]));
    }

    #[test]
    #[should_panic(expected = "the third")]
    fn a_panic_is_the_callers() {
        map_on(2, (0..64).collect(), |item| assert!(item != 3, "the third"));
    }
}
