//! Reads a text character by character.

/// What is left of a text.
pub(super) struct Cursor<'a> {
    /// The characters that were not taken yet.
    pub(super) rest: &'a str,
}

impl Cursor<'_> {
    /// Takes the next character, if there is one.
    pub(super) fn take(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = &self.rest[character.len_utf8()..];
        Some(character)
    }

    /// Takes the next character if it is the wanted one.
    pub(super) fn take_if(&mut self, wanted: char) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}
