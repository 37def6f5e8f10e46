//! Threads for calls that may block, or never return.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a thread waits for more to do before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// Stack of a thread: values may be nested 1,000 deep, and are walked on the stack.
const STACK_BYTES: usize = 16 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// A few threads of one plugin's own, so that one that never returns takes nobody else's. They come when they are needed,
/// and end when they are not. Clones share them.
#[derive(Clone)]
pub(crate) struct Threads(Arc<Shared>);

struct Shared {
    name: String,
    most: usize,
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

impl Threads {
    /// At most so many threads, of that name.
    pub(crate) fn new(name: &str, most: usize) -> Self {
        let (queue, wake) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Shared { name: name.to_owned(), most, queue, wake }))
    }

    /// How many threads there may be.
    pub(crate) fn most(&self) -> usize {
        self.0.most
    }

    /// Has a thread do the job, at once or when one is free.
    ///
    /// # Errors
    /// When there is no thread, and the system gives none.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let mut queue = self.0.lock();
        if queue.idle <= queue.jobs.len() && queue.threads < self.0.most {
            let shared = self.0.clone();
            let builder = std::thread::Builder::new().name(self.0.name.clone()).stack_size(STACK_BYTES);
            match builder.spawn(move || shared.work()) {
                Ok(_) => queue.threads += 1,
                Err(error) if queue.threads == 0 => return Err(error),
                // Others will come round to it.
                Err(_) => {}
            }
        }
        queue.jobs.push_back(Box::new(job));
        drop(queue);
        self.0.wake.notify_one();
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            // What a job panics with, its caller learns by getting no answer.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        queue.idle += 1;
        let empty = |queue: &mut Queue| queue.jobs.is_empty();
        let (mut queue, _) = self.wake.wait_timeout_while(queue, IDLE, empty).unwrap_or_else(PoisonError::into_inner);
        queue.idle -= 1;
        let job = queue.jobs.pop_front();
        if job.is_none() {
            queue.threads -= 1;
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_thread_that_is_stuck_holds_up_no_other_one_and_there_are_no_more_than_allowed() {
        let threads = Threads::new("test", 2);
        let (release, held) = mpsc::channel::<()>();
        threads.run(move || _ = held.recv()).expect("a thread");
        let (done, results) = mpsc::channel();
        for number in 0..20 {
            let done = done.clone();
            threads.run(move || done.send((number, std::thread::current().id())).expect("is awaited")).expect("queued");
        }
        let results: Vec<_> = results.into_iter().take(20).collect();
        assert!(results.iter().map(|(number, _)| *number).eq(0..20), "in order, on the other thread");
        assert!(results.iter().all(|(_, thread)| *thread == results[0].1));
        drop(release);
    }

    #[test]
    fn a_job_that_panics_takes_no_thread_with_it() {
        let threads = Threads::new("test", 1);
        threads.run(|| panic!("on purpose")).expect("a thread");
        let (done, result) = mpsc::channel();
        threads.run(move || done.send(()).expect("is awaited")).expect("queued");
        result.recv().expect("the job was done");
    }
}
