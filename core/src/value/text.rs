//! Short strings, held without an allocation.

use std::cmp::Ordering;

/// Most bytes of a string that is held inline.
pub(super) const SHORT: usize = 14;

/// A string of at most [`SHORT`] bytes, and behind it its length. What is between is zero, so that all together is ordered
/// as strings are.
#[derive(Clone, Copy)]
pub(super) struct Short([u8; SHORT + 1]);

impl Short {
    /// The string, if it is short enough.
    pub(super) fn new(text: &str) -> Option<Self> {
        Self::of(text.as_bytes())
    }

    /// The string of ASCII characters, if it is short enough.
    pub(super) fn ascii(text: &[u8]) -> Option<Self> {
        debug_assert!(text.len() > SHORT || text.is_ascii(), "whoever makes it has looked at each byte");
        Self::of(text)
    }

    fn of(text: &[u8]) -> Option<Self> {
        let mut all = [0; SHORT + 1];
        all[..SHORT].get_mut(..text.len())?.copy_from_slice(text);
        all[SHORT] = u8::try_from(text.len()).ok()?;
        Some(Self(all))
    }

    /// The string's UTF-8.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0[..usize::from(self.0[SHORT])]
    }

    /// The string.
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("was made from a string")
    }

    /// A number that is ordered as the string is.
    fn order(&self) -> u128 {
        let mut all = [0; 16];
        all[..=SHORT].copy_from_slice(&self.0);
        u128::from_be_bytes(all)
    }

    /// All in two numbers, which have a byte in common.
    #[inline]
    fn halves(&self) -> (u64, u64) {
        let number = |half: Option<&[u8; 8]>| half.map_or(0, |half| u64::from_ne_bytes(*half));
        (number(self.0.first_chunk()), number(self.0.last_chunk()))
    }
}

impl PartialEq for Short {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.halves() == other.halves()
    }
}

impl Eq for Short {}

impl Ord for Short {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Short {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_strings_are_ordered_as_strings() {
        let texts = ["", "\0", "\0\0", "a", "a\0", "aa", "b", "fourteen-bytes"];
        for pair in texts.windows(2) {
            assert!(Short::new(pair[0]) < Short::new(pair[1]), "{pair:?}");
        }
        for (one, other) in texts.iter().flat_map(|one| texts.iter().map(move |other| (one, other))) {
            assert_eq!(Short::new(one) == Short::new(other), one == other, "{one:?} {other:?}");
        }
        assert_eq!(Short::new("é").map(|short| short.as_str().to_owned()).as_deref(), Some("é"));
        assert!(Short::new("fifteen-bytes..").is_none());
    }
}
