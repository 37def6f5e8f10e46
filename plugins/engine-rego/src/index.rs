//! Finds the rules of one document or function that can hold, without trying each.
//!
//! Many conditions in rule bodies compare a reference to base data or input, or a function's argument, with a constant:
//! `input.method == "GET"`. The index reads them off the rewritten bodies and makes a trie of them: a level for each
//! reference, a branch for each constant. A lookup resolves each reference once and follows the branches that fit. What
//! it finds *may* hold; every rule that it leaves out would fail.
//!
//! - `reference`, `constant`: the parts of the syntax tree that can be indexed.
//! - `condition`: what a rule says of a reference.
//! - `opa`, `sharp`: two readings of a body. OPA's own decides the order in which rules are tried, and which ones a trace
//!   shows as matched; the sharp one leaves out more rules.
//! - `trie`, `scalars`: the search.
//! - `order`, `answers`, `candidates`: what is made of the rules that were found.

mod answers;
mod candidates;
mod condition;
mod constant;
mod glob;
mod opa;
mod order;
mod reference;
mod scalars;
mod sharp;
mod trie;

#[cfg(test)]
mod tests;

pub(crate) use candidates::{Branch, Candidates};
pub(crate) use reference::IndexedReference;
pub(crate) use trie::Resolved;

use reference::References;
use trie::Trie;

use crate::syntax::ast::{Rule, Term};

/// How closely a lookup looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It leaves out all that it can.
    Sharp,
    /// It finds what OPA 1.9 finds. Nobody asks for that but tests, which hold the other against it.
    #[cfg(test)]
    AsOpa,
}

/// The index over the rules of one path.
#[derive(Debug)]
pub(crate) struct RuleIndex {
    references: Vec<IndexedReference>,
    sharp: Trie,
    /// Only where it would find other rules than `sharp`.
    #[cfg(test)]
    as_opa: Option<Trie>,
    found: candidates::Ranking,
    default_rule: Option<usize>,
}

impl RuleIndex {
    /// Makes the index over the rules of one path, in their order; nothing if there is no rule. `is_virtual` says of a
    /// reference whether rules make it or anything below it.
    pub(crate) fn build(rules: &[&Rule], is_virtual: &dyn Fn(&[Term]) -> bool) -> Option<Self> {
        if rules.is_empty() {
            return None;
        }
        let mut references = References::new(is_virtual);
        let entries: Vec<_> = entries(rules).collect();
        let seen = opa::read(&entries, &mut references);
        let ranking = order::rank(&seen);
        let sharp = sharp::read(&entries, &mut references);
        #[cfg(test)]
        let as_opa = (sharp != seen).then(|| Trie::build(&seen, &ranking));
        Some(Self {
            sharp: Trie::build(&sharp, &ranking),
            #[cfg(test)]
            as_opa,
            found: candidates::Ranking::new(&entries, &ranking),
            default_rule: rules.iter().position(|rule| rule.default),
            references: references.into_vec(),
        })
    }

    /// What a lookup asks for, by number.
    pub(crate) fn references(&self) -> &[IndexedReference] {
        &self.references
    }

    /// The `default` rule, which is never among the candidates.
    pub(crate) fn default_rule(&self) -> Option<usize> {
        self.default_rule
    }

    /// The rules that can hold, in the order in which OPA tries them. `resolve` gives the value of a reference by its
    /// number; it may be asked for the same one more than once.
    ///
    /// # Errors
    /// What `resolve` fails with.
    pub(crate) fn lookup<'v, E>(
        &self,
        sight: Sight,
        resolve: &mut dyn FnMut(usize) -> Result<Resolved<'v>, E>,
    ) -> Result<Candidates<'_>, E> {
        let trie = match sight {
            #[cfg(test)]
            Sight::AsOpa => self.as_opa.as_ref().unwrap_or(&self.sharp),
            Sight::Sharp => &self.sharp,
        };
        if trie.is_flat() {
            return Ok(self.all());
        }
        Ok(self.found.candidates(trie.search(resolve)?))
    }

    /// All rules, in the order of [`RuleIndex::lookup`].
    pub(crate) fn all(&self) -> Candidates<'_> {
        self.found.all()
    }
}

/// A rule without its `else` branches, or one of these.
struct Entry<'a> {
    branch: Branch,
    rule: &'a Rule,
    /// The parameters of the function.
    args: &'a [Term],
}

/// Every rule but the `default` one with its `else` branches.
fn entries<'a>(rules: &'a [&'a Rule]) -> impl Iterator<Item = Entry<'a>> {
    let numbered = (0_u32..).zip(rules).filter(|(_, rule)| !rule.default);
    numbered.flat_map(|(number, first)| {
        let chain = std::iter::successors(Some(*first), |rule| rule.else_branch.as_deref());
        (0_u32..).zip(chain).map(move |(position, rule)| {
            let args = rule.head.args.as_ref().or(first.head.args.as_ref()).map_or(&[][..], Vec::as_slice);
            Entry { branch: Branch { rule: number, position }, rule, args }
        })
    })
}
