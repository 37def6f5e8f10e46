//! From candidates to active bundles: all together if possible, else as many as hold together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use regent_core::Store;
use regent_core::metrics::Metrics;
use regent_core::store::{StoreError, Transaction};

use crate::candidate::Candidate;

/// Up to this many candidates, combinations that leave one out are tried too. Each try compiles everything.
const FEW: usize = 16;

/// Candidates by name.
pub(crate) type Candidates = BTreeMap<String, Arc<Candidate>>;

/// What became of the candidates.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Those that are active now, each with what its transaction cost.
    pub(crate) active: BTreeMap<String, Metrics>,
    pub(crate) refused: BTreeMap<String, StoreError>,
    /// Why bundles that should have left are still there.
    pub(crate) stuck: Option<StoreError>,
}

/// One thing to try: these become active, and those that leave do or do not.
struct Attempt {
    names: Vec<String>,
    leave: bool,
}

/// Activates as many candidates as hold together with what is active, and removes what leaves. The active state only
/// ever changes as a whole; what does not become active leaves no trace in it.
pub(crate) async fn activate(store: &Store, mut open: Candidates, mut leaving: BTreeSet<String>) -> Outcome {
    let mut outcome = Outcome::default();
    while !open.is_empty() || !leaving.is_empty() {
        let Some((done, cost)) = first_that_holds(store, &open, &leaving, &mut outcome).await else { break };
        for name in done.names {
            open.remove(&name);
            outcome.refused.remove(&name);
            outcome.active.insert(name, cost.clone());
        }
        if done.leave {
            leaving.clear();
            outcome.stuck = None;
        }
    }
    outcome
}

async fn first_that_holds(
    store: &Store,
    open: &Candidates,
    leaving: &BTreeSet<String>,
    outcome: &mut Outcome,
) -> Option<(Attempt, Metrics)> {
    for attempt in attempts(open, !leaving.is_empty()) {
        let error = match attempt.run(store, open, leaving).await {
            Ok(cost) => return Some((attempt, cost)),
            Err(error) => error,
        };
        match &attempt.names[..] {
            [] => outcome.stuck = Some(error),
            [name] if !attempt.leave => drop(outcome.refused.insert(name.clone(), error)),
            _ => {}
        }
    }
    None
}

/// What to try, the most wanted first: everything, all but one, each alone; and each with and without leaving.
fn attempts(open: &Candidates, anyone_leaves: bool) -> Vec<Attempt> {
    let all: Vec<String> = open.keys().cloned().collect();
    let mut sets = Vec::new();
    if all.len() > 1 {
        sets.push(all.clone());
    }
    if (3..=FEW).contains(&all.len()) {
        let without = |out: &String| all.iter().filter(|name| *name != out).cloned().collect();
        sets.extend(all.iter().map(without));
    }
    sets.extend(all.iter().map(|name| vec![name.clone()]));
    let leave = |leave| sets.iter().map(move |names| Attempt { names: names.clone(), leave });
    if !anyone_leaves {
        return leave(false).collect();
    }
    let only_leave = Attempt { names: Vec::new(), leave: true };
    leave(true).chain([only_leave]).chain(leave(false)).collect()
}

impl Attempt {
    async fn run(&self, store: &Store, open: &Candidates, leaving: &BTreeSet<String>) -> Result<Metrics, StoreError> {
        let contents: Vec<_> = self.names.iter().filter_map(|name| open.get(name)).map(|c| c.content()).collect();
        let leaving: Vec<String> = leaving.iter().filter(|_| self.leave).cloned().collect();
        let names = self.names.clone();
        let start = Instant::now();
        let work = move |transaction: &mut Transaction| {
            let open = Open::new(names, transaction.number());
            for name in &leaving {
                transaction.deactivate(name);
            }
            if !contents.is_empty() {
                transaction.activate(contents)?;
            }
            Ok(open)
        };
        let (open, mut metrics) = store.write_measured(Metrics::on(), work).await?;
        drop(open);
        metrics.add("timer_rego_load_bundles_ns", u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        Ok(metrics)
    }
}

/// Tells of a transaction and, when it is dropped, of its end, to each bundle in it.
struct Open {
    names: Vec<String>,
    number: u64,
}

impl Open {
    fn new(names: Vec<String>, number: u64) -> Self {
        for name in &names {
            tracing::debug!(name, plugin = "bundle", "Opened storage transaction ({number}).");
        }
        Self { names, number }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        for name in &self.names {
            tracing::debug!(name, plugin = "bundle", "Closing storage transaction ({}).", self.number);
        }
    }
}
