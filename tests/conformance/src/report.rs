//! How an engine did.

use std::fmt;
use std::sync::Arc;

use regent_core::engine::Engine;

use crate::MakeEngine;
use crate::case::{Case, Topic};
use crate::isolate::{Ending, isolate};
use crate::run::run;

/// How an engine did on all topics.
pub struct Report {
    /// The topics in the order of their names.
    pub topics: Vec<Outcome>,
}

/// How an engine did on one topic.
pub struct Outcome {
    /// The topic.
    pub name: String,
    /// How many cases it has.
    pub total: usize,
    /// What failed.
    pub failures: Vec<Failure>,
}

/// A case that failed.
pub struct Failure {
    /// Its topic.
    pub topic: String,
    /// The case.
    pub note: String,
    /// What is wrong.
    pub why: String,
    fatal: bool,
}

impl Report {
    /// Runs the cases one after another.
    pub fn of(topics: &[Topic], engine: MakeEngine) -> Self {
        let engine = engine();
        let outcome = |topic: &Topic| Outcome {
            name: topic.name.clone(),
            total: topic.cases.len(),
            failures: topic.cases.iter().filter_map(|case| failure(&topic.name, case, &engine)).collect(),
        };
        Self { topics: topics.iter().map(outcome).collect() }
    }

    /// Everything that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.topics.iter().flat_map(|topic| &topic.failures)
    }
}

impl Outcome {
    /// How many cases passed.
    pub fn passed(&self) -> usize {
        self.total - self.failures.len()
    }
}

impl Failure {
    /// Whether the case panicked or could not be stopped, which no engine may do whatever it supports.
    pub fn is_fatal(&self) -> bool {
        self.fatal
    }
}

fn failure(topic: &str, case: &Case, engine: &Arc<dyn Engine>) -> Option<Failure> {
    let (work, engine) = (case.clone(), engine.clone());
    let (why, fatal) = match isolate(format!("{topic}/{}", case.note), move |cancel| run(&work, &engine, cancel)) {
        Ending::Done(Ok(())) => return None,
        Ending::Done(Err(why)) => (why, false),
        Ending::Panicked(text) => (format!("panicked: {text}"), true),
        Ending::Slow => ("took too long".to_owned(), false),
        Ending::Stuck => ("does not stop".to_owned(), true),
    };
    Some(Failure { topic: topic.to_owned(), note: case.note.clone(), why, fatal })
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}: {}", self.topic, self.note, self.why)
    }
}

impl fmt::Display for Report {
    /// A line for each failure, then the table of the topics with all of them at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failures().try_for_each(|failure| writeln!(f, "{failure}"))?;
        let mut row = |name: &str, passed: usize, total: usize| writeln!(f, "{name:<40} {passed:>4}/{total}");
        self.topics.iter().try_for_each(|topic| row(&topic.name, topic.passed(), topic.total))?;
        let sum = |count: fn(&Outcome) -> usize| self.topics.iter().map(count).sum();
        row("all", sum(Outcome::passed), sum(|topic| topic.total))
    }
}
