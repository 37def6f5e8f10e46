//! Short strings, held without an allocation.

/// Most bytes of a string that is held inline.
pub(super) const SHORT: usize = 14;

/// A string of at most [`SHORT`] bytes. The bytes behind its end are zero, so that the derived order is that of the
/// strings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Short {
    bytes: [u8; SHORT],
    len: u8,
}

impl Short {
    /// The string, if it is short enough.
    pub(super) fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; SHORT];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { bytes, len: u8::try_from(text.len()).ok()? })
    }

    /// The string's UTF-8.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The string.
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("was made from a string")
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
        assert_eq!(Short::new("é").map(|short| short.as_str().to_owned()).as_deref(), Some("é"));
        assert!(Short::new("fifteen-bytes..").is_none());
    }
}
