//! How up to date the agent is, as status and health tell it.

use std::collections::BTreeMap;

use regent_core::Host;
use regent_core::status::State;
use regent_core::value::Path;

use crate::apply::destination;
use crate::model::{Entry, SaveMethod};

/// Paths that are remembered to be out of date.
const MOST: usize = 1_000;

/// What is known to be missing.
pub(crate) struct Health {
    host: Host,
    /// Why there is no connection; nothing if there is one.
    lost: Option<String>,
    /// Why there is no list of base data.
    unlisted: Option<String>,
    /// Entries of the list that have not been loaded; none if there is no list yet.
    missing: Option<usize>,
    /// Whether all base data was there at least once.
    was_loaded: bool,
    /// Why policy is not up to date.
    policy: Option<String>,
    /// Whether policy is still to come for the first time.
    awaits_policy: bool,
    /// What could not be loaded, and why.
    failing: BTreeMap<Path, String>,
}

impl Health {
    pub(crate) fn new(host: Host, awaits_policy: bool) -> Self {
        let lost = Some("not connected yet".to_owned());
        Self {
            host,
            lost,
            unlisted: None,
            missing: None,
            was_loaded: false,
            policy: None,
            awaits_policy,
            failing: BTreeMap::new(),
        }
    }

    pub(crate) fn connected(&mut self) {
        self.lost = None;
        self.tell();
    }

    pub(crate) fn lost(&mut self, why: String) {
        self.lost = Some(why);
        self.tell();
    }

    /// There is no list of base data.
    pub(crate) fn unlisted(&mut self, why: String) {
        self.unlisted = Some(why);
        self.tell();
    }

    /// There is a list, of so many entries that count.
    pub(crate) fn listed(&mut self, entries: usize) {
        self.unlisted = None;
        self.missing = Some(entries);
        self.tell();
    }

    /// An entry of the list is loaded.
    pub(crate) fn loaded(&mut self) {
        self.missing = self.missing.map(|missing| missing.saturating_sub(1));
        self.tell();
    }

    /// What became of asking for policy.
    pub(crate) fn policy(&mut self, outcome: Result<(), String>) {
        self.awaits_policy &= outcome.is_err();
        self.policy = outcome.err();
        self.tell();
    }

    /// An entry was written. What is put somewhere makes good for what failed there and below.
    pub(crate) fn saved(&mut self, entry: &Entry) {
        let path = destination(&entry.dst_path);
        match entry.save_method {
            SaveMethod::Put => self.failing.retain(|failing, _| !failing.is_within(&path)),
            _ => return,
        }
        self.tell();
    }

    /// An entry could not be written.
    pub(crate) fn failed(&mut self, entry: &Entry, why: &str) {
        if self.failing.len() < MOST {
            self.failing.insert(destination(&entry.dst_path), why.to_owned());
        }
        self.tell();
    }

    fn tell(&mut self) {
        self.was_loaded |= self.missing == Some(0) && !self.awaits_policy;
        let (state, message) = self.state();
        self.host.report(state, message);
    }

    fn state(&self) -> (State, Option<String>) {
        let failing = self.failing.iter().next().map(|(path, why)| {
            let more = match self.failing.len() {
                1 => String::new(),
                all => format!(" (and {} more)", all - 1),
            };
            format!("data at {path} is out of date{more}: {why}")
        });
        let lost = self.lost.as_ref().map(|why| format!("no connection to the server of updates: {why}"));
        let trouble = lost.or_else(|| self.unlisted.clone()).or_else(|| self.policy.clone()).or(failing);
        match trouble {
            None if self.was_loaded => (State::Ok, None),
            trouble if self.was_loaded => (State::Warn, trouble),
            trouble => (State::NotReady, trouble),
        }
    }
}
