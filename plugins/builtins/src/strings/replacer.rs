//! Replacing several strings in one pass.

use regent_core::builtin::BuiltinError;
use regent_core::engine::Cancel;

use crate::bounds;

/// How many bytes are passed over between two looks at the cancel signal.
const PATIENCE: usize = 1 << 12;

/// What to replace by what. Where several could be replaced, the first pair wins, not the longest.
pub(super) struct Replacer<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Replacer<'a> {
    pub(super) fn new(pairs: Vec<(&'a str, &'a str)>) -> Self {
        Self(pairs)
    }

    /// The text after all replacements. The empty string is found between any two bytes, but not right after another
    /// empty find.
    pub(super) fn replace(&self, text: &str, cancel: &Cancel) -> Result<String, BuiltinError> {
        let bytes = text.as_bytes();
        let mut out = Vec::with_capacity(bytes.len());
        let (mut at, mut kept, mut after_empty) = (0, 0, false);
        let mut steps = 0_usize;
        while at <= bytes.len() {
            steps += 1;
            if steps.is_multiple_of(PATIENCE) && cancel.is_cancelled() {
                return Err(BuiltinError::Cancelled);
            }
            let rest = &bytes[at..];
            let fits = |(old, _): &&(&str, &str)| rest.starts_with(old.as_bytes()) && !(after_empty && old.is_empty());
            let found = self.0.iter().find(fits);
            bounds::text(out.len())?;
            after_empty = found.is_some_and(|(old, _)| old.is_empty());
            let Some((old, new)) = found else {
                at += 1;
                continue;
            };
            out.extend_from_slice(&bytes[kept..at]);
            out.extend_from_slice(new.as_bytes());
            at += old.len();
            kept = at;
        }
        out.extend_from_slice(&bytes[kept..]);
        Ok(String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }
}
