//! The errors of a stage, up to the limit.

use regent_core::engine::{ErrorCode, PolicyError, PolicyErrors};

use crate::syntax::ast::Span;

/// Collects errors. Past the limit only `error limit reached` is added, once, and the rest are dropped.
#[derive(Debug, Clone)]
pub(crate) struct Errors {
    limit: usize,
    found: Vec<PolicyError>,
}

impl Errors {
    /// No errors yet; 0 for no limit.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, found: Vec::new() }
    }

    /// No errors yet, with the same limit.
    pub(crate) fn none(&self) -> Self {
        Self::new(self.limit)
    }

    /// Adds those of another list with the same limit.
    pub(crate) fn absorb(&mut self, other: Self) {
        // If the other one was full, so is this one when it comes to the notice of that.
        other.found.into_iter().for_each(|error| self.push(error));
    }

    /// Adds an error at a place.
    pub(crate) fn add(&mut self, code: ErrorCode, span: &Span, message: impl Into<String>) {
        self.push(PolicyError::new(code, message, span.location()));
    }

    /// Adds an error.
    pub(crate) fn push(&mut self, error: PolicyError) {
        if self.limit == 0 || self.found.len() < self.limit {
            self.found.push(error);
        } else if self.found.len() == self.limit {
            self.found.push(PolicyError::new(ErrorCode::Compile, "error limit reached", None));
        }
    }

    /// Whether the limit is exceeded, so that going on is of no use.
    pub(crate) fn is_full(&self) -> bool {
        self.limit != 0 && self.found.len() > self.limit
    }

    /// The errors, if there are any.
    pub(crate) fn result(&mut self) -> Result<(), PolicyErrors> {
        if self.found.is_empty() { Ok(()) } else { Err(PolicyErrors(std::mem::take(&mut self.found))) }
    }
}
