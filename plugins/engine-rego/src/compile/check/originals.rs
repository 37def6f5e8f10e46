//! Variables of the text in place of generated ones, for messages.

use std::collections::BTreeMap;

use super::vars::deeper;
use crate::syntax::ast::{Term, TermKind, Var};

/// What generated variables stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Originals<'a>(Vec<&'a BTreeMap<Var, Var>>);

impl<'a> Originals<'a> {
    /// The first table that knows a variable counts.
    pub(crate) fn new(tables: impl IntoIterator<Item = &'a BTreeMap<Var, Var>>) -> Self {
        Self(tables.into_iter().collect())
    }

    /// The variable of the text, or the same one.
    pub(crate) fn of(&self, var: &Var) -> Var {
        self.0.iter().find_map(|table| table.get(var)).unwrap_or(var).clone()
    }

    /// The term with the variables of the text.
    pub(crate) fn restored(&self, term: &Term) -> Term {
        let mut term = term.clone();
        self.restore(&mut term);
        term
    }

    fn restore(&self, term: &mut Term) {
        match &mut term.kind {
            TermKind::Var(name) => *name = self.of(name),
            TermKind::Ref(terms) | TermKind::Array(terms) | TermKind::Set(terms) | TermKind::Call(terms) => {
                deeper(|| terms.iter_mut().for_each(|part| self.restore(part)));
            }
            TermKind::Object(entries) => deeper(|| {
                for (key, value) in entries {
                    self.restore(key);
                    self.restore(value);
                }
            }),
            _ => {}
        }
    }
}
