//! What the parser complains about.

use std::fmt::Write as _;
use std::rc::Rc;

use regent_core::Value;
use regent_core::engine::{ErrorCode, Location, PolicyError};

use super::{Parser, Place};
use crate::syntax::token::Token;

/// Errors one after another. Cheap to copy, so that a return to a saved place forgets those that came since.
#[derive(Debug, Clone, Default)]
pub(super) struct Trail(Option<Rc<Link>>);

#[derive(Debug)]
struct Link {
    error: PolicyError,
    before: Trail,
}

impl Trail {
    fn push(&mut self, error: PolicyError) {
        let before = std::mem::take(self);
        self.0 = Some(Rc::new(Link { error, before }));
    }

    fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The errors in the order in which they were found.
    pub(super) fn to_list(&self) -> Vec<PolicyError> {
        let mut list: Vec<PolicyError> = std::iter::successors(self.0.as_ref(), |link| link.before.0.as_ref())
            .map(|link| link.error.clone())
            .collect();
        list.reverse();
        list
    }
}

impl Drop for Trail {
    /// Link by link rather than one within the other.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut link) = next.and_then(|link| Rc::try_unwrap(link).ok()) {
            next = link.before.0.take();
        }
    }
}

impl Parser {
    /// Adds an error at a place, with the hints collected for it.
    pub(super) fn error(&mut self, place: Place, message: impl Into<String>) {
        let mut message = message.into();
        let hints = std::mem::take(&mut self.state.hints);
        if let Some((first, rest)) = hints.split_first() {
            let plural = if rest.is_empty() { "" } else { "s" };
            let _ = write!(message, " (hint{plural}: {first}");
            for hint in rest {
                let _ = write!(message, ", {hint}");
            }
            message.push(')');
        }
        if self.too_deep.is_none() {
            let error = self.error_of(place, message);
            self.state.errors.push(error);
        }
    }

    fn error_of(&self, place: Place, message: String) -> PolicyError {
        let location = Location { file: self.source.name.clone(), row: place.row as usize, col: place.col as usize };
        let mut error = PolicyError::new(ErrorCode::Parse, message, location);
        let (line, index) = line_of(&self.source.text, place.offset);
        let number = Value::from(u64::try_from(index).unwrap_or(u64::MAX));
        error.details = Some(Value::object([("line", Value::from(line)), ("idx", number)]));
        let shown = line.trim_start_matches('\t');
        let indent = index.saturating_sub(line.len() - shown.len());
        error.lines = vec![shown.to_owned(), format!("{}^", " ".repeat(indent))];
        error
    }

    /// Says that the token has no business here.
    pub(super) fn illegal(&mut self, note: &str) {
        let token = self.token();
        if token == Token::Illegal {
            return self.error(self.place(), "illegal token");
        }
        let kind = if token.is_keyword() { "keyword" } else { "token" };
        let colon = if note.is_empty() { "" } else { ": " };
        self.error(self.place(), format!("unexpected {} {kind}{colon}{note}", token.as_str()));
    }

    /// Says that the text nests too deep, which ends everything.
    pub(super) fn error_too_deep(&mut self) {
        if self.too_deep.is_none() {
            self.too_deep = Some(self.error_of(self.place(), "max parsing recursion depth exceeded".into()));
        }
    }

    /// Adds what the next error suggests.
    pub(super) fn hint(&mut self, hint: &'static str) {
        self.state.hints.push(hint);
    }

    /// Whether anything has gone wrong on the way here.
    pub(super) fn has_errors(&self) -> bool {
        !self.state.errors.is_empty() || self.too_deep.is_some()
    }
}

/// The line of an error and the index of its byte therein. White space does not count: the byte before it is shown.
fn line_of(text: &str, offset: usize) -> (&str, usize) {
    let bytes = text.as_bytes();
    let is_end = |at: usize| matches!(bytes[at], b'\r' | b'\n');
    let (mut begin, mut end, mut index) = (0, 0, 0);
    if !bytes.is_empty() {
        let mut at = offset.min(bytes.len() - 1);
        while at > 0 && is_space(bytes[at]) {
            at -= 1;
        }
        begin = (0..=at).rev().find(|&at| is_end(at)).map_or(0, |end| end + 1);
        end = (at..bytes.len()).find(|&at| is_end(at)).unwrap_or(bytes.len());
        begin = begin.min(end);
        index = at.saturating_sub(begin);
    }
    (text.get(begin..end).unwrap_or_default(), index)
}

/// White space as Go sees it when it takes each byte for a character of Latin-1.
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xa0)
}
