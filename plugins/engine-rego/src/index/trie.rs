//! The search for rules: a tree of references and what they are compared with.

use regent_core::value::{Value, View};
use smallvec::SmallVec;

use super::condition::{Condition, Conditions, Slot};
use super::glob;
use super::scalars::{Scalar, Scalars};

/// Further conditions of a branch are not looked at, which bounds how deep a search goes.
const MOST_CONDITIONS: usize = 32;

/// Alternatives of one branch are not looked into when they would make more ways through the trie than this.
const MOST_WAYS: usize = 64;

/// References with a lower number are resolved only once in a search.
const REMEMBERED: usize = 8;

/// The value of a reference.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Resolved<'v> {
    /// It has none.
    Undefined,
    /// It is not known yet, as in partial evaluation; every rule that speaks of it can hold.
    Unknown,
    /// Its value.
    Value(&'v Value),
}

/// Ranks of branches, as they were found: in no order, perhaps repeatedly.
pub(super) type Found = SmallVec<[u32; 16]>;

/// The conditions of all branches. Nodes and patterns are named by their position.
#[derive(Debug, Default)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    patterns: Vec<Pattern>,
}

/// Where the conditions on some references have been met.
#[derive(Debug, Default)]
struct Node {
    /// The ranks of branches without further conditions.
    branches: Vec<u32>,
    /// The references of further conditions, by level.
    levels: Vec<Level>,
}

/// The conditions on one reference, each with the node behind it.
#[derive(Debug, Default)]
struct Level {
    position: u32,
    reference: u32,
    defined: Option<u32>,
    scalars: Scalars,
    /// The pattern that arrays begin with.
    arrays: Option<u32>,
    /// Delimiters, and the pattern that strings begin with when they are cut at these.
    globs: Vec<(Box<str>, u32)>,
    /// Scalars that collections contain.
    members: Scalars,
}

/// A place in an array or in a string that is cut into parts.
#[derive(Debug, Default)]
struct Pattern {
    /// The node behind the end.
    end: Option<u32>,
    /// The pattern behind an item that may be anything.
    any: Option<u32>,
    /// The patterns behind items that must be something.
    items: Scalars,
}

impl Trie {
    /// Makes the trie of what each branch says; `ranks` gives the rank of each.
    pub(super) fn build(conditions: &Conditions, ranks: &[u32]) -> Self {
        let mut trie = Self { nodes: vec![Node::default()], patterns: Vec::new() };
        for (conditions_of, rank) in conditions.branches.iter().zip(ranks) {
            trie.insert(&conditions.levels, conditions_of, *rank);
        }
        trie
    }

    /// Whether no condition was indexed, so that a search finds everything.
    pub(super) fn is_flat(&self) -> bool {
        self.nodes[0].levels.is_empty()
    }

    /// Finds the branches whose conditions are met.
    ///
    /// # Errors
    /// What `resolve` fails with.
    pub(super) fn search<'v, E>(&self, resolve: &mut dyn FnMut(usize) -> Result<Resolved<'v>, E>) -> Result<Found, E> {
        let mut search = Search { trie: self, resolve, known: [None; REMEMBERED], found: Found::new() };
        search.node(0)?;
        Ok(search.found)
    }

    fn insert(&mut self, references: &[u32], conditions: &[(u32, Condition)], rank: u32) {
        let mut ends = vec![0];
        for (level, condition) in conditions.iter().take(MOST_CONDITIONS) {
            let ways = match condition {
                Condition::OneOf(all) if ends.len() == 1 || ends.len() * all.len() <= MOST_WAYS => &all[..],
                Condition::OneOf(_) => &[Condition::Defined],
                one => std::slice::from_ref(one),
            };
            let mut next = Vec::with_capacity(ends.len() * ways.len());
            for node in ends {
                let at = self.level(node, *level, references[*level as usize]);
                next.extend(ways.iter().map(|way| self.child(node, at, way)));
            }
            next.dedup();
            ends = next;
        }
        for node in ends {
            self.nodes[node as usize].branches.push(rank);
        }
    }

    /// The position of a level among those of the node.
    fn level(&mut self, node: u32, level: u32, reference: u32) -> usize {
        let levels = &mut self.nodes[node as usize].levels;
        levels.binary_search_by_key(&level, |known| known.position).unwrap_or_else(|at| {
            levels.insert(at, Level { position: level, reference, ..Level::default() });
            at
        })
    }

    /// The node behind a condition.
    fn child(&mut self, node: u32, at: usize, condition: &Condition) -> u32 {
        let nodes = number(self.nodes.len());
        let level = &mut self.nodes[node as usize].levels[at];
        let child = match condition {
            Condition::Is(value) => level.scalars.get_or_insert(value, || nodes),
            Condition::Contains(value) => level.members.get_or_insert(value, || nodes),
            Condition::Array(slots) => {
                let start = *level.arrays.get_or_insert_with(|| number(self.patterns.len()));
                self.pattern(start, slots, nodes)
            }
            Condition::Glob { delimiters, parts } => {
                let known = level.globs.iter().find(|(known, _)| known == delimiters);
                let start = known.map_or(number(self.patterns.len()), |(_, start)| *start);
                if known.is_none() {
                    level.globs.push((delimiters.clone(), start));
                }
                self.pattern(start, parts, nodes)
            }
            // Alternatives within alternatives do not occur, and saying less is always right.
            Condition::Defined | Condition::OneOf(_) => *level.defined.get_or_insert(nodes),
        };
        if child == nodes {
            self.nodes.push(Node::default());
        }
        child
    }

    /// The node behind the end of a pattern that begins at `at`; `node` if there is none yet.
    fn pattern(&mut self, mut at: u32, slots: &[Slot], node: u32) -> u32 {
        if at as usize == self.patterns.len() {
            self.patterns.push(Pattern::default());
        }
        for slot in slots {
            let new = number(self.patterns.len());
            let pattern = &mut self.patterns[at as usize];
            at = match slot {
                Slot::Any => *pattern.any.get_or_insert(new),
                Slot::Is(value) => pattern.items.get_or_insert(value, || new),
            };
            if at == new {
                self.patterns.push(Pattern::default());
            }
        }
        *self.patterns[at as usize].end.get_or_insert(node)
    }
}

/// A position as it is kept.
fn number(position: usize) -> u32 {
    u32::try_from(position).expect("a policy has fewer conditions than that")
}

/// A search under way. Its depth is bounded, for branches have few conditions and patterns few items.
struct Search<'t, 'v, 'r, E> {
    trie: &'t Trie,
    resolve: &'r mut dyn FnMut(usize) -> Result<Resolved<'v>, E>,
    known: [Option<Resolved<'v>>; REMEMBERED],
    found: Found,
}

impl<'t, 'v, E> Search<'t, 'v, '_, E> {
    fn node(&mut self, node: u32) -> Result<(), E> {
        let node = &self.trie.nodes[node as usize];
        self.found.extend_from_slice(&node.branches);
        node.levels.iter().try_for_each(|level| match self.value_of(level.reference)? {
            Resolved::Undefined => Ok(()),
            Resolved::Unknown => self.everything(level),
            Resolved::Value(value) => self.value(level, value),
        })
    }

    fn value_of(&mut self, reference: u32) -> Result<Resolved<'v>, E> {
        let reference = reference as usize;
        if let Some(Some(known)) = self.known.get(reference) {
            return Ok(*known);
        }
        let value = (self.resolve)(reference)?;
        if let Some(known) = self.known.get_mut(reference) {
            *known = Some(value);
        }
        Ok(value)
    }

    fn value(&mut self, level: &'t Level, value: &Value) -> Result<(), E> {
        self.all(level.defined)?;
        match value.view() {
            View::Array(items) => {
                if let Some(start) = level.arrays {
                    self.pattern(start, items)?;
                }
                self.members(level, items)
            }
            View::Set(members) => self.members(level, members),
            View::Object(entries) => self.members(level, entries.iter().map(|(_, value)| value)),
            View::String(text) => {
                self.all(level.scalars.get(value))?;
                level.globs.iter().try_for_each(|(delimiters, start)| self.glob(*start, text, delimiters))
            }
            _ => self.all(level.scalars.get(value)),
        }
    }

    fn members<'m>(&mut self, level: &'t Level, members: impl IntoIterator<Item = &'m Value>) -> Result<(), E> {
        if level.members.is_empty() {
            return Ok(());
        }
        // A collection may hold the same value many times.
        let mut met: SmallVec<[bool; 32]> = SmallVec::from_elem(false, level.members.len());
        members.into_iter().try_for_each(|member| match level.members.position(member) {
            Some(at) if !std::mem::replace(&mut met[at], true) => self.node(level.members.place(at)),
            _ => Ok(()),
        })
    }

    fn glob(&mut self, start: u32, text: &str, delimiters: &str) -> Result<(), E> {
        self.pattern(start, &glob::split(text, delimiters))
    }

    /// Follows a pattern by the items that are left.
    fn pattern<S: Scalar>(&mut self, at: u32, items: &[S]) -> Result<(), E> {
        let pattern = &self.trie.patterns[at as usize];
        let Some((item, rest)) = items.split_first() else {
            return self.all(pattern.end);
        };
        let ways = pattern.any.into_iter().chain(pattern.items.get(item));
        ways.into_iter().try_for_each(|way| self.pattern(way, rest))
    }

    /// Follows every condition on a reference.
    fn everything(&mut self, level: &'t Level) -> Result<(), E> {
        let patterns = level.arrays.into_iter().chain(level.globs.iter().map(|(_, start)| *start));
        self.all(level.defined)?;
        patterns.into_iter().try_for_each(|start| self.every_pattern(start))?;
        self.all(level.scalars.places())?;
        self.all(level.members.places())
    }

    fn every_pattern(&mut self, at: u32) -> Result<(), E> {
        let pattern = &self.trie.patterns[at as usize];
        self.all(pattern.end)?;
        pattern.any.into_iter().chain(pattern.items.places()).try_for_each(|way| self.every_pattern(way))
    }

    fn all(&mut self, nodes: impl IntoIterator<Item = u32>) -> Result<(), E> {
        nodes.into_iter().try_for_each(|node| self.node(node))
    }
}
