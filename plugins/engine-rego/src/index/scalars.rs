//! Scalars to places in a trie.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use regent_core::value::{Value, View};

/// Up to this many scalars are compared one after another.
const FEW: usize = 4;

/// A map from scalars. It goes through its entries in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Scalars {
    entries: Vec<(Value, u32)>,
    /// Positions in `entries`, once there are more than a few.
    hashed: Option<Box<Hashed>>,
}

#[derive(Debug, Default)]
struct Hashed {
    positions: HashTable<u32>,
    seed: RandomState,
}

/// Something that may be a scalar.
pub(super) trait Scalar {
    /// Whether it equals that scalar.
    fn equals(&self, scalar: &Value) -> bool;

    /// Adds to a hash what equal scalars have in common; nothing for composites.
    fn add_to<H: Hasher>(&self, hasher: &mut H);
}

impl Scalar for Value {
    fn equals(&self, scalar: &Value) -> bool {
        self == scalar
    }

    fn add_to<H: Hasher>(&self, hasher: &mut H) {
        match self.view() {
            View::Bool(truth) => truth.hash(hasher),
            // Integers hash alike however they are spelled, and so do numbers that have the same nearest float.
            View::Number(number) => match number.as_i64() {
                Some(int) => int.hash(hasher),
                None => number.as_f64().to_bits().hash(hasher),
            },
            View::String(text) => text.hash(hasher),
            View::Null | View::Array(_) | View::Object(_) | View::Set(_) => {}
        }
    }
}

impl Scalar for &str {
    fn equals(&self, scalar: &Value) -> bool {
        scalar.as_str() == Some(self)
    }

    fn add_to<H: Hasher>(&self, hasher: &mut H) {
        self.hash(hasher);
    }
}

impl Scalars {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The places in order.
    pub(super) fn places(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().map(|(_, place)| *place)
    }

    /// The place of a scalar; composites have none.
    pub(super) fn get(&self, scalar: &impl Scalar) -> Option<u32> {
        self.position(scalar).map(|at| self.place(at))
    }

    /// The position of a scalar among the entries.
    pub(super) fn position(&self, scalar: &impl Scalar) -> Option<usize> {
        let Some(hashed) = &self.hashed else {
            return self.entries.iter().position(|(known, _)| scalar.equals(known));
        };
        let same = |at: &u32| scalar.equals(&self.entries[*at as usize].0);
        hashed.positions.find(hash(&hashed.seed, scalar), same).map(|at| *at as usize)
    }

    /// The place of the entry at a position.
    pub(super) fn place(&self, position: usize) -> u32 {
        self.entries[position].1
    }

    /// The place of a scalar, which gets one if it has none.
    pub(super) fn get_or_insert(&mut self, scalar: &Value, make: impl FnOnce() -> u32) -> u32 {
        if let Some(place) = self.get(scalar) {
            return place;
        }
        let place = make();
        self.entries.push((scalar.clone(), place));
        if self.entries.len() > FEW {
            self.hash_new_ones();
        }
        place
    }

    fn hash_new_ones(&mut self) {
        let hashed = self.hashed.get_or_insert_default();
        let (positions, seed) = (&mut hashed.positions, &hashed.seed);
        for at in positions.len()..self.entries.len() {
            let position = u32::try_from(at).expect("fewer scalars than bytes of source");
            let known = |at: &u32| hash(seed, &self.entries[*at as usize].0);
            positions.insert_unique(hash(seed, &self.entries[at].0), position, known);
        }
    }
}

fn hash(seed: &RandomState, scalar: &impl Scalar) -> u64 {
    let mut hasher = seed.build_hasher();
    scalar.add_to(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use regent_core::value::decode;

    use super::*;

    #[test]
    fn scalars_are_found_whatever_their_spelling_and_number() {
        let json = |text: &str| decode(text.as_bytes()).expect("valid JSON");
        let all = ["null", "true", "false", "1", "\"1\"", "1.5", "123456789012345678901", "-0", "\"a\"", "1e400"];
        for several in [3, all.len()] {
            let mut scalars = Scalars::default();
            for (place, text) in (0..).zip(&all[..several]) {
                assert_eq!(scalars.get_or_insert(&json(text), || place), place);
                assert_eq!(scalars.get_or_insert(&json(text), || 99), place);
            }
            assert_eq!(scalars.places().count(), several);
            assert_eq!(scalars.get(&json("[1]")), None);
            assert_eq!(scalars.get(&json("2")), None);
            if several == all.len() {
                assert_eq!(scalars.get(&json("1.0")), Some(3));
                assert_eq!(scalars.get(&json("0.15e1")), Some(5));
                assert_eq!(scalars.get(&json("123456789012345678901.0")), Some(6));
                assert_eq!(scalars.get(&json("0.0")), Some(7));
                assert_eq!(scalars.get(&"a"), Some(8));
            }
        }
    }
}
