//! What is known of rules.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use smallvec::SmallVec;

use super::Held;
use super::collect::Collected;
use crate::plan::{CollectIndex, SetId};

/// The values of rules. Nothing is allocated before several are known.
#[derive(Default)]
pub(super) struct Cache<'a> {
    whole: ById<Option<Held<'a>>>,
    keyed: ById<BTreeMap<Vec<Held<'a>>, Option<Held<'a>>>>,
    collected: HashMap<usize, Collected, BuildHasherDefault<IdHasher>>,
}

/// Something for each rule set: the first few side by side, the others hashed.
struct ById<T> {
    few: SmallVec<[(SetId, T); FEW]>,
    more: HashMap<SetId, T, BuildHasherDefault<IdHasher>>,
}

/// How many entries are held side by side.
const FEW: usize = 4;

impl<T> Default for ById<T> {
    fn default() -> Self {
        Self { few: SmallVec::new(), more: HashMap::default() }
    }
}

impl<T> ById<T> {
    #[inline]
    fn get(&self, id: SetId) -> Option<&T> {
        match self.few.iter().find(|(known, _)| *known == id) {
            Some((_, found)) => Some(found),
            None if self.more.is_empty() => None,
            None => self.more.get(&id),
        }
    }

    /// What is known of a rule set, made first if there is nothing.
    fn get_or_insert_with(&mut self, id: SetId, make: impl FnOnce() -> T) -> &mut T {
        if self.few.len() == FEW && self.few.iter().all(|(known, _)| *known != id) {
            return self.more.entry(id).or_insert_with(make);
        }
        let at = self.few.iter().position(|(known, _)| *known == id).unwrap_or_else(|| {
            self.few.push((id, make()));
            self.few.len() - 1
        });
        &mut self.few[at].1
    }
}

/// Spreads small numbers.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

impl<'a> Cache<'a> {
    /// The document of a rule set, if it is known; within, nothing if it is undefined.
    pub(super) fn whole(&self, set: SetId) -> Option<&Option<Held<'a>>> {
        self.whole.get(set)
    }

    /// Remembers the document of a rule set.
    pub(super) fn put_whole(&mut self, set: SetId, value: Option<Held<'a>>) {
        *self.whole.get_or_insert_with(set, || None) = value;
    }

    /// The result of a function, or what lies under keys of a partial document, if it is known.
    pub(super) fn keyed(&self, set: SetId, keys: &[Held<'a>]) -> Option<&Option<Held<'a>>> {
        self.keyed.get(set)?.get(keys)
    }

    /// Remembers the result of a function, or what lies under keys.
    pub(super) fn put_keyed(&mut self, set: SetId, keys: Vec<Held<'a>>, value: Option<Held<'a>>) {
        self.keyed.get_or_insert_with(set, BTreeMap::new).insert(keys, value);
    }

    /// What is known of a comprehension.
    pub(super) fn collected(&self, index: &'a CollectIndex) -> Option<&Collected> {
        self.collected.get(&std::ptr::from_ref(index).addr())
    }

    /// Remembers what is known of a comprehension.
    pub(super) fn put_collected(&mut self, index: &'a CollectIndex, collected: Collected) {
        self.collected.insert(std::ptr::from_ref(index).addr(), collected);
    }
}
