//! Finding a value among sorted ones.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::OnceLock;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::Value;

/// Up to this many values are compared one by one.
const FEW: usize = 8;

/// Above this many values a hash table is made at the first search.
const MANY: usize = 16;

/// What is looked for. A text is found without being made a value first.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    Value(&'a Value),
    Text(&'a str),
}

impl Wanted<'_> {
    fn is(self, value: &Value) -> bool {
        match self {
            Self::Value(wanted) => wanted == value,
            Self::Text(text) => value.text_bytes() == Some(text.as_bytes()),
        }
    }

    /// How the value compares with what is wanted.
    pub(super) fn order_of(self, value: &Value) -> Ordering {
        match self {
            Self::Value(wanted) => value.cmp(wanted),
            Self::Text(text) => match value.text_bytes() {
                Some(bytes) => bytes.cmp(text.as_bytes()),
                None => value.rank().cmp(&super::TEXT_RANK),
            },
        }
    }
}

impl Hash for Wanted<'_> {
    fn hash<S: Hasher>(&self, state: &mut S) {
        match self {
            Self::Value(value) => value.hash(state),
            Self::Text(text) => super::order::hash_text(text.as_bytes(), state),
        }
    }
}

/// An index over sorted values, made when it first pays.
#[derive(Default)]
pub(super) struct Index(OnceLock<Box<Table>>);

struct Table {
    seed: RandomState,
    positions: HashTable<u32>,
}

impl Index {
    /// Where the value is among the sorted ones, which must be the same at each call.
    pub(super) fn find(&self, sorted: &[Value], wanted: Wanted<'_>) -> Option<usize> {
        if sorted.len() <= FEW {
            return sorted.iter().position(|value| wanted.is(value));
        }
        if sorted.len() <= MANY || u32::try_from(sorted.len()).is_err() {
            return sorted.binary_search_by(|value| wanted.order_of(value)).ok();
        }
        let table = self.0.get_or_init(|| Box::new(Table::over(sorted)));
        let found = table.positions.find(table.seed.hash_one(wanted), |&at| wanted.is(&sorted[at as usize]));
        found.map(|&at| at as usize)
    }
}

impl Table {
    fn over(values: &[Value]) -> Self {
        let seed = RandomState::default();
        let hash = |value: &Value| seed.hash_one(Wanted::Value(value));
        let mut positions = HashTable::with_capacity(values.len());
        for (at, value) in (0_u32..).zip(values) {
            positions.insert_unique(hash(value), at, |&at| hash(&values[at as usize]));
        }
        Self { seed, positions }
    }
}
