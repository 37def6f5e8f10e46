//! The variables of one rule or query.

use std::collections::{HashMap, HashSet};

use super::Slot;
use crate::syntax::ast::{Term, TermKind, Var};
use crate::syntax::visit::Visit;

/// Which slot a variable has, and whether it has a value at the point that is being planned.
#[derive(Default)]
pub(super) struct Scope {
    slots: HashMap<Var, Slot>,
    bound: Vec<bool>,
    unread: HashSet<Var>,
}

/// Finds the variables that occur only once, so that nobody reads what is bound to them.
#[derive(Default)]
pub(super) struct Occurrences(HashMap<Var, bool>);

impl Visit for Occurrences {
    fn term(&mut self, term: &Term) {
        if let TermKind::Var(name) = &term.kind {
            self.0.entry(name.clone()).and_modify(|once| *once = false).or_insert(true);
        }
        self.walk_term(term);
    }
}

impl Occurrences {
    /// The variables that occur once, but for those that the outside reads.
    pub(super) fn unread(self, is_read: impl Fn(&Var) -> bool) -> HashSet<Var> {
        self.0.into_iter().filter(|(name, once)| *once && !is_read(name)).map(|(name, _)| name).collect()
    }
}

/// What was bound at some point.
pub(super) struct Mark(Vec<bool>);

impl Scope {
    /// A scope in which these variables are never read.
    pub(super) fn new(unread: HashSet<Var>) -> Self {
        Self { unread, ..Self::default() }
    }

    /// Whether nobody reads what is bound to the variable.
    pub(super) fn is_unread(&self, name: &Var) -> bool {
        self.unread.contains(name)
    }

    /// The slot of a variable.
    pub(super) fn slot(&mut self, name: &Var) -> Slot {
        if let Some(slot) = self.slots.get(name) {
            return *slot;
        }
        let slot = self.bound.len();
        self.bound.push(false);
        self.slots.insert(name.clone(), slot);
        slot
    }

    /// A slot for a value that has no name.
    pub(super) fn temporary(&mut self) -> Slot {
        self.bound.push(true);
        self.bound.len() - 1
    }

    /// The slot of a variable that has a value.
    pub(super) fn bound(&self, name: &Var) -> Option<Slot> {
        self.slots.get(name).copied().filter(|slot| self.bound[*slot])
    }

    /// The slot of a variable, which has a value from here on.
    pub(super) fn bind(&mut self, name: &Var) -> Slot {
        let slot = self.slot(name);
        self.bound[slot] = true;
        slot
    }

    /// Whether the slot has a value.
    pub(super) fn has_value(&self, slot: Slot) -> bool {
        self.bound.get(slot).copied().unwrap_or(false)
    }

    /// The variable that a slot belongs to.
    pub(super) fn name_of(&self, slot: Slot) -> Option<&Var> {
        self.slots.iter().find(|(_, known)| **known == slot).map(|(name, _)| name)
    }

    /// From here on the slot has no value.
    pub(super) fn unbind(&mut self, slot: Slot) {
        self.bound[slot] = false;
    }

    /// Remembers what is bound.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.bound.clone())
    }

    /// Goes back to what was bound; slots that are younger have no value then.
    pub(super) fn reset(&mut self, mark: &Mark) {
        for (slot, bound) in self.bound.iter_mut().enumerate() {
            *bound = mark.0.get(slot).copied().unwrap_or(false);
        }
    }

    /// How many slots there are.
    pub(super) fn len(&self) -> usize {
        self.bound.len()
    }

    /// The variables that have a value.
    pub(super) fn bound_names(&self) -> impl Iterator<Item = (&Var, Slot)> {
        self.slots.iter().map(|(name, slot)| (name, *slot)).filter(|(_, slot)| self.bound[*slot])
    }
}
