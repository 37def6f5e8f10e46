//! What an index asks for.

use std::collections::BTreeMap;

use regent_core::Value;

use super::constant::constant;
use crate::syntax::ast::{Span, Term, TermKind};

/// A value that conditions speak of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum IndexedReference {
    /// A function's argument, from 0.
    Argument(usize),
    /// Something of the input document.
    Input(Vec<Value>),
    /// Something of base data, that no rule has a part in.
    Data(Vec<Value>),
}

/// The references of an index, each with a number.
pub(super) struct References<'a> {
    is_virtual: &'a dyn Fn(&[Term]) -> bool,
    numbers: BTreeMap<IndexedReference, u32>,
    /// Where each was first seen; arguments are nowhere.
    places: Vec<Option<Span>>,
}

impl<'a> References<'a> {
    /// No references yet.
    pub(super) fn new(is_virtual: &'a dyn Fn(&[Term]) -> bool) -> Self {
        Self { is_virtual, numbers: BTreeMap::new(), places: Vec::new() }
    }

    /// The number of an argument.
    pub(super) fn argument(&mut self, position: usize) -> u32 {
        self.number(IndexedReference::Argument(position), None)
    }

    /// The number of a reference, if it is one to input or base data without variables.
    pub(super) fn of(&mut self, term: &Term) -> Option<u32> {
        match &term.kind {
            TermKind::Ref(parts) => self.of_parts(parts),
            TermKind::Var(_) => self.of_parts(std::slice::from_ref(term)),
            _ => None,
        }
    }

    /// As [`References::of`], by parts.
    pub(super) fn of_parts(&mut self, parts: &[Term]) -> Option<u32> {
        let (head, keys) = parts.split_first()?;
        let root = head.as_var().filter(|root| matches!(&***root, "input" | "data"))?;
        let keys = keys.iter().map(constant).collect::<Option<Vec<_>>>()?;
        if &**root == "input" {
            return Some(self.number(IndexedReference::Input(keys), Some(&head.span)));
        }
        if (self.is_virtual)(parts) {
            return None;
        }
        Some(self.number(IndexedReference::Data(keys), Some(&head.span)))
    }

    /// Where a reference was first seen, in a form that sorts as OPA sorts places: what is nowhere comes last.
    pub(super) fn place(&self, number: u32) -> (bool, Option<(&str, u32, u32)>) {
        let place = self.places[number as usize].as_ref().map(|span| (&*span.source.name, span.row, span.col));
        (place.is_none(), place)
    }

    /// The references in the order of their numbers.
    pub(super) fn into_vec(self) -> Vec<IndexedReference> {
        let mut all: Vec<_> = self.numbers.into_iter().collect();
        all.sort_by_key(|(_, number)| *number);
        all.into_iter().map(|(reference, _)| reference).collect()
    }

    fn number(&mut self, reference: IndexedReference, place: Option<&Span>) -> u32 {
        *self.numbers.entry(reference).or_insert_with(|| {
            self.places.push(place.cloned());
            u32::try_from(self.places.len() - 1).expect("fewer references than bytes of source")
        })
    }
}
