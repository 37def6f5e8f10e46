//! Glob patterns as arrays of parts.

use smallvec::SmallVec;

use super::condition::{LONGEST_PATTERN, Slot};
use super::constant::scalar;
use crate::syntax::ast::{Term, TermKind};

/// The delimiters of a call of `glob.match` in one string. Only ASCII ones are taken, so that strings can be split byte by byte.
pub(super) fn delimiters(term: &Term) -> Option<String> {
    let TermKind::Array(items) = &term.kind else {
        return None;
    };
    if items.is_empty() {
        return Some(".".to_owned());
    }
    let all: String = items.iter().map(Term::as_text).collect::<Option<_>>()?;
    all.is_ascii().then_some(all)
}

/// The parts of a pattern in which a `*` only ever stands for a whole part.
pub(super) fn parts(pattern: &Term, delimiters: &str) -> Option<Vec<Slot>> {
    let text = scalar(pattern)?.as_str()?;
    let special = |part: &str| part.contains(['[', ']', '?', '{', '}', '*', '\\']);
    let part = |part: &str| match part {
        "*" => Some(Slot::Any),
        part if special(part) => None,
        part => Some(Slot::Is(part.into())),
    };
    text.split(|c| delimiters.contains(c)).map(part).collect()
}

/// A string cut at the delimiters, up to the first part that no pattern has.
pub(super) fn split<'t>(text: &'t str, delimiters: &str) -> SmallVec<[&'t str; 16]> {
    text.split(|c| delimiters.contains(c)).take(LONGEST_PATTERN + 1).collect()
}
