//! The rules that a lookup found.

use smallvec::SmallVec;

use super::Entry;
use super::answers::{Answer, answers};
use super::trie::Found;

/// A rule without its `else` branches, or one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Branch {
    /// The position of the rule among those that the index was built of.
    pub(crate) rule: u32,
    /// 0 for the rule itself, 1 for its first `else`, and so on.
    pub(crate) position: u32,
}

/// The rules that can hold, in the order in which they are to be tried.
#[derive(Debug)]
pub(crate) struct Candidates<'i> {
    branches: Branches<'i>,
    early_exit: bool,
}

#[derive(Debug)]
enum Branches<'i> {
    All(&'i [Branch]),
    Some(SmallVec<[Branch; 8]>),
}

impl Candidates<'_> {
    /// The rules, of each the branches that can hold in their order, the first of which need not be the rule itself.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &[Branch]> {
        self.branches().chunk_by(|a, b| a.rule == b.rule)
    }

    /// Whether all that can hold give the same constant, so that the first one that holds decides.
    pub(crate) fn early_exit(&self) -> bool {
        self.early_exit
    }

    fn branches(&self) -> &[Branch] {
        match &self.branches {
            Branches::All(all) => all,
            Branches::Some(some) => some,
        }
    }
}

/// What is known of branches by their rank.
#[derive(Debug)]
pub(super) struct Ranking {
    branches: Vec<Branch>,
    answers: Vec<Answer>,
    all: Vec<Branch>,
    all_agree: bool,
    has_else: bool,
}

impl Ranking {
    /// Of branches whose ranks are given.
    pub(super) fn new(entries: &[Entry<'_>], ranks: &[u32]) -> Self {
        let known = entries.iter().map(|entry| entry.branch).zip(answers(entries));
        let mut ranked: Vec<_> =
            ranks.iter().zip(known).map(|(rank, (branch, answer))| (*rank, branch, answer)).collect();
        ranked.sort_unstable_by_key(|(rank, ..)| *rank);
        let mut ranking = Self {
            branches: ranked.iter().map(|(_, branch, _)| *branch).collect(),
            answers: ranked.into_iter().map(|(.., answer)| answer).collect(),
            all: Vec::new(),
            all_agree: false,
            has_else: entries.iter().any(|entry| entry.branch.position > 0),
        };
        let everything = ranking.candidates((0_u32..).zip(ranks).map(|(rank, _)| rank).collect());
        (ranking.all, ranking.all_agree) = (everything.branches().to_vec(), everything.early_exit);
        ranking
    }

    /// Every branch.
    pub(super) fn all(&self) -> Candidates<'_> {
        Candidates { branches: Branches::All(&self.all), early_exit: self.all_agree }
    }

    /// The branches of these ranks.
    pub(super) fn candidates(&self, mut found: Found) -> Candidates<'static> {
        found.sort_unstable();
        found.dedup();
        let mut branches: SmallVec<[Branch; 8]> = found.iter().map(|rank| self.branches[*rank as usize]).collect();
        if self.has_else {
            bring_together(&mut branches);
        }
        Candidates { branches: Branches::Some(branches), early_exit: self.agree(&found) }
    }

    fn agree(&self, found: &[u32]) -> bool {
        let mut answers = found.iter().map(|rank| self.answers[*rank as usize]);
        answers.next().is_none_or(|first| first.is_some() && answers.all(|answer| answer == first))
    }
}

/// Puts the branches of each rule side by side, where the first of them stands.
fn bring_together(branches: &mut [Branch]) {
    let mut placed: Vec<(usize, Branch)> = branches.iter().copied().enumerate().collect();
    placed.sort_unstable_by_key(|(_, branch)| *branch);
    for chain in placed.chunk_by_mut(|(_, a), (_, b)| a.rule == b.rule) {
        let first = chain.iter().map(|(place, _)| *place).min().unwrap_or_default();
        for (place, _) in chain {
            *place = first;
        }
    }
    placed.sort_unstable();
    for (slot, (_, branch)) in branches.iter_mut().zip(placed) {
        *slot = branch;
    }
}
