//! How fetches are asked for.
//!
//! Whoever asks draws a number and waits until it is served. A loader serves with each fetch all numbers that were drawn
//! before it began, so any number of callers share one fetch, whoever comes while one runs shares the next, and a caller
//! who goes away takes nothing along. Nothing is queued.

use std::collections::BTreeMap;
use std::sync::Arc;

use regent_core::service::BoxFuture;
use regent_core::trigger::{Failure, Fetched, Subject, TriggerError, Triggers};
use tokio::sync::watch;

/// What became of a fetch, for whoever asked for it.
pub type Verdict = Result<Fetched, Failure>;

/// The last number that was served, and how.
#[derive(Debug, Default)]
struct Served {
    number: u64,
    verdict: Option<Verdict>,
}

/// Where one loader is asked. Clones ask the same.
#[derive(Debug, Clone)]
pub struct Asker {
    drawn: watch::Sender<u64>,
    served: watch::Receiver<Served>,
}

/// Where a loader is told that it is asked.
#[derive(Debug)]
pub(crate) struct Asked {
    drawn: watch::Receiver<u64>,
    served: watch::Sender<Served>,
}

/// Both ends.
pub(crate) fn asking() -> (Asker, Asked) {
    let (drawn, numbers) = watch::channel(0);
    let (serving, served) = watch::channel(Served::default());
    (Asker { drawn, served }, Asked { drawn: numbers, served: serving })
}

impl Asker {
    /// Asks for a fetch that begins no earlier than now and waits for what becomes of it; none if the loader ends first.
    pub async fn fetch(mut self) -> Option<Verdict> {
        let mut mine = 0;
        self.drawn.send_modify(|number| {
            *number += 1;
            mine = *number;
        });
        let served = self.served.wait_for(|served| served.number >= mine).await.ok()?;
        served.verdict.clone()
    }
}

impl Asked {
    /// Waits until someone asks who has not been counted; none if nobody is left who could.
    pub(crate) async fn wait(&mut self) -> Option<()> {
        self.drawn.changed().await.ok()
    }

    /// The last number that the fetch serves that is about to begin.
    pub(crate) fn count(&mut self) -> u64 {
        *self.drawn.borrow_and_update()
    }

    /// Answers all up to that number.
    pub(crate) fn serve(&self, number: u64, verdict: Verdict) {
        self.served.send_replace(Served { number, verdict: Some(verdict) });
    }
}

/// Loaders by what they fetch; none for one that has not begun.
type Loaders = BTreeMap<Subject, Option<Asker>>;

/// Where all loaders of a plugin are asked.
#[derive(Debug)]
pub struct Askers(watch::Sender<Loaders>);

impl Askers {
    /// For loaders that are about to begin.
    pub fn awaiting(subjects: impl IntoIterator<Item = Subject>) -> Self {
        Self(watch::Sender::new(subjects.into_iter().map(|subject| (subject, None)).collect()))
    }

    /// Puts others in place of all.
    pub fn replace(&self, askers: impl IntoIterator<Item = (Subject, Asker)>) {
        self.0.send_replace(askers.into_iter().map(|(subject, asker)| (subject, Some(asker))).collect());
    }

    /// What asks them for others.
    pub fn role(&self) -> Arc<dyn Triggers> {
        Arc::new(Role(self.0.subscribe()))
    }
}

struct Role(watch::Receiver<Loaders>);

impl Triggers for Role {
    fn fetch(&self, subject: &Subject) -> Option<BoxFuture<'static, Result<Fetched, TriggerError>>> {
        if !self.0.borrow().contains_key(subject) {
            return None;
        }
        let (loaders, subject) = (self.0.clone(), subject.clone());
        Some(Box::pin(async move {
            let verdict = fetch(loaders, &subject).await;
            Ok(verdict.ok_or(TriggerError::Interrupted(subject))??)
        }))
    }
}

/// None if the loader ends, or never begins.
async fn fetch(mut loaders: watch::Receiver<Loaders>, subject: &Subject) -> Option<Verdict> {
    let has_begun = |loaders: &Loaders| loaders.get(subject).is_none_or(Option::is_some);
    let asker = loaders.wait_for(has_begun).await.ok()?.get(subject)?.clone()?;
    asker.fetch().await
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use regent_core::trigger::Outcome;

    use super::*;

    fn fetched(revision: &str) -> Fetched {
        Fetched { outcome: Outcome::Activated, revision: Some(revision.to_owned()), warning: None }
    }

    #[test]
    fn who_asks_while_a_fetch_runs_shares_the_next_one() {
        let (asker, mut calls) = asking();
        let (mut first, mut second) = (Box::pin(asker.clone().fetch()), Box::pin(asker.clone().fetch()));
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        assert_eq!(calls.wait().now_or_never(), Some(Some(())));
        let running = calls.count();
        let mut late = Box::pin(asker.clone().fetch());
        assert!(late.as_mut().now_or_never().is_none());
        calls.serve(running, Ok(fetched("1")));
        assert_eq!(first.now_or_never(), Some(Some(Ok(fetched("1")))));
        assert!(late.as_mut().now_or_never().is_none(), "it began too early for that one");
        assert_eq!(calls.wait().now_or_never(), Some(Some(())), "so there is another");
        let running = calls.count();
        calls.serve(running, Ok(fetched("2")));
        assert_eq!(late.now_or_never(), Some(Some(Ok(fetched("2")))));
        assert_eq!(second.now_or_never(), Some(Some(Ok(fetched("2")))), "who looks late learns the newest");
        assert_eq!(calls.wait().now_or_never(), None, "nobody waits any more");
    }

    #[test]
    fn nobody_waits_for_a_loader_that_has_ended() {
        let (asker, calls) = asking();
        let mut caller = Box::pin(asker.fetch());
        assert!(caller.as_mut().now_or_never().is_none());
        drop(calls);
        assert_eq!(caller.now_or_never(), Some(None));
    }

    #[test]
    fn who_asks_before_a_loader_has_begun_is_not_turned_away() {
        let (known, other) = (Subject::Bundle("a".to_owned()), Subject::Bundle("b".to_owned()));
        let askers = Askers::awaiting([known.clone()]);
        let role = askers.role();
        assert!(role.fetch(&other).is_none());
        let mut caller = role.fetch(&known).expect("it is known");
        assert!(caller.as_mut().now_or_never().is_none());
        let (asker, mut calls) = asking();
        askers.replace([(known.clone(), asker)]);
        assert!(caller.as_mut().now_or_never().is_none());
        assert_eq!(calls.wait().now_or_never(), Some(Some(())));
        let mut late = role.fetch(&known).expect("it is known");
        assert!(late.as_mut().now_or_never().is_none());
        let number = calls.count();
        calls.serve(number, Ok(fetched("1")));
        assert_eq!(caller.now_or_never(), Some(Ok(fetched("1"))));
        drop((askers, calls));
        assert!(late.now_or_never().is_some_and(|answer| answer.is_ok()));
        let never = role.fetch(&known).expect("it is known");
        assert_eq!(never.now_or_never(), Some(Err(TriggerError::Interrupted(known))));
    }
}
