//! What is known of rules.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use super::Held;
use crate::plan::SetId;

/// The values of rules. Nothing is allocated before something is known.
#[derive(Default)]
pub(super) struct Cache<'a> {
    whole: ById<Option<Held<'a>>>,
    keyed: ById<BTreeMap<Vec<Held<'a>>, Option<Held<'a>>>>,
}

type ById<T> = HashMap<SetId, T, BuildHasherDefault<IdHasher>>;

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
        self.whole.get(&set)
    }

    /// Remembers the document of a rule set.
    pub(super) fn put_whole(&mut self, set: SetId, value: Option<Held<'a>>) {
        self.whole.insert(set, value);
    }

    /// The result of a function, or what lies under keys of a partial document, if it is known.
    pub(super) fn keyed(&self, set: SetId, keys: &[Held<'a>]) -> Option<&Option<Held<'a>>> {
        self.keyed.get(&set)?.get(keys)
    }

    /// Remembers the result of a function, or what lies under keys.
    pub(super) fn put_keyed(&mut self, set: SetId, keys: Vec<Held<'a>>, value: Option<Held<'a>>) {
        self.keyed.entry(set).or_default().insert(keys, value);
    }
}
