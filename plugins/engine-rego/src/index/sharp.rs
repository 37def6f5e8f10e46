//! The most that can be read off a rule.
//!
//! Beside what OPA 1.9 reads: variables that stand for references and constants, membership (`x in {…}`, `x in input.y`,
//! `input.y[_] == x`), constants among a function's parameters, and of several conditions the one that says most.

use std::cmp::Reverse;
use std::collections::HashMap;

use regent_core::value::{Value, View};

use super::Entry;
use super::condition::{Condition, Conditions, indexable, is_call_of, is_scalar, slots};
use super::constant::constant;
use super::glob;
use super::reference::References;
use crate::syntax::ast::{Expr, ExprKind, Term, TermKind, Var};

/// Further references of one branch do not count, which bounds the work.
const MOST_READ: usize = 256;

/// Sets of more alternatives are not looked into.
const MOST_ALTERNATIVES: usize = 4096;

/// What is read off one branch.
#[derive(Default)]
struct Reader<'a> {
    /// Variables that equal a reference.
    bound: HashMap<&'a Var, u32>,
    /// Variables that equal a constant.
    known: HashMap<&'a Var, Value>,
    read: Vec<(u32, Condition)>,
}

/// Reads all branches.
pub(super) fn read(entries: &[Entry<'_>], references: &mut References<'_>) -> Conditions {
    let all: Vec<_> = entries.iter().map(|entry| Reader::read(entry, references)).collect();
    // Alternatives multiply the ways below them, so they come last; then the more often used come first.
    let mut seen: Vec<(bool, usize)> = Vec::new();
    for (reference, condition) in all.iter().flatten() {
        let at = *reference as usize;
        seen.resize(seen.len().max(at + 1), (false, 0));
        seen[at].0 |= matches!(condition, Condition::OneOf(_));
        seen[at].1 += 1;
    }
    let mut levels: Vec<u32> = (0_u32..).zip(&seen).filter(|(_, seen)| seen.1 > 0).map(|(number, _)| number).collect();
    levels.sort_by_key(|number| {
        let (alternatives, times) = seen[*number as usize];
        (alternatives, Reverse(times), references.place(*number))
    });
    Conditions::new(all, levels)
}

impl<'a> Reader<'a> {
    fn read(entry: &Entry<'a>, references: &mut References<'_>) -> Vec<(u32, Condition)> {
        let mut reader = Self::default();
        for (position, arg) in entry.args.iter().enumerate() {
            reader.parameter(position, arg, references);
        }
        for expr in indexable(entry.rule) {
            reader.binding(expr, references);
        }
        for expr in indexable(entry.rule) {
            reader.expr(expr, references);
        }
        reader.read
    }

    fn parameter(&mut self, position: usize, arg: &'a Term, references: &mut References<'_>) {
        if let Some(name) = arg.as_var() {
            self.bound.entry(name).or_insert_with(|| references.argument(position));
        } else if let Some(condition) = self.equals(arg) {
            self.add(references.argument(position), condition);
        }
    }

    /// Notes what a variable stands for.
    fn binding(&mut self, expr: &'a Expr, references: &mut References<'_>) {
        let Some((a, b)) = equality(expr) else {
            return;
        };
        for (var, other) in [(a, b), (b, a)] {
            let Some(name) = var.as_var().filter(|_| references.of(var).is_none()) else {
                continue;
            };
            if let Some(value) = constant(other) {
                self.known.entry(name).or_insert(value);
            } else if let Some(reference) = references.of(other) {
                self.bound.entry(name).or_insert(reference);
            }
        }
    }

    fn expr(&mut self, expr: &'a Expr, references: &mut References<'_>) {
        if let Some((a, b)) = equality(expr) {
            self.equality(a, b, references);
            self.equality(b, a, references);
            return;
        }
        match &expr.kind {
            ExprKind::Term(term) => {
                if let Some(reference) = references.of(term) {
                    self.add(reference, Condition::Defined);
                }
            }
            ExprKind::Call(terms) => match &terms[..] {
                [_, pattern, delimiters, value] if is_call_of(terms, "glob.match") => {
                    self.glob(pattern, delimiters, value, references);
                }
                [_, member, collection] if is_call_of(terms, "internal.member_2") => {
                    self.member(member, collection, references);
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// What `a == b` says of `a`.
    fn equality(&mut self, a: &'a Term, b: &'a Term, references: &mut References<'_>) {
        if let Some(reference) = self.reference(a, references) {
            if let Some(condition) = self.equals(b) {
                self.add(reference, condition);
            }
            return;
        }
        // `input.roles[_] == "admin"`
        if let Some((last, collection)) = a.as_ref().and_then(<[Term]>::split_last)
            && last.as_var().is_some()
            && let Some(value) = self.value(b).filter(is_scalar)
            && let Some(reference) = references.of_parts(collection)
        {
            self.add(reference, Condition::Contains(value));
        }
    }

    fn glob(&mut self, pattern: &Term, delimiters: &Term, value: &'a Term, references: &mut References<'_>) {
        if let Some(reference) = self.reference(value, references)
            && let Some(delimiters) = glob::delimiters(delimiters)
            && let Some(parts) = glob::parts(pattern, &delimiters)
        {
            self.add(reference, Condition::glob(&delimiters, parts));
        }
    }

    fn member(&mut self, member: &'a Term, collection: &'a Term, references: &mut References<'_>) {
        if let Some(values) = self.value(collection) {
            if let Some(reference) = self.reference(member, references) {
                self.add(reference, one_of(&values));
            }
        } else if let Some(reference) = self.reference(collection, references) {
            let value = self.value(member).filter(is_scalar);
            self.add(reference, value.map_or(Condition::Defined, Condition::Contains));
        }
    }

    /// That something equals the term, as far as the term is known.
    fn equals(&self, term: &'a Term) -> Option<Condition> {
        if let Some(value) = self.value(term) {
            return Some(Condition::equals(&value));
        }
        match &term.kind {
            TermKind::Var(_) => Some(Condition::Defined),
            TermKind::Array(items) => slots(items, |item| self.known.get(item.as_var()?)).map(Condition::array),
            _ => None,
        }
    }

    fn value(&self, term: &'a Term) -> Option<Value> {
        match term.as_var() {
            Some(name) => self.known.get(name).cloned(),
            None => constant(term),
        }
    }

    fn reference(&self, term: &'a Term, references: &mut References<'_>) -> Option<u32> {
        references.of(term).or_else(|| self.bound.get(term.as_var()?).copied())
    }

    /// Of what is said of a reference, keeps what says most.
    fn add(&mut self, reference: u32, condition: Condition) {
        let known = self.read.iter().position(|(known, _)| *known == reference);
        match known {
            Some(at) if strength(&self.read[at].1) < strength(&condition) => self.read[at].1 = condition,
            None if self.read.len() < MOST_READ => self.read.push((reference, condition)),
            _ => {}
        }
    }
}

/// The sides of an equality. One that has a third operand gives its truth to that and excludes nothing.
fn equality(expr: &Expr) -> Option<(&Term, &Term)> {
    match &expr.kind {
        ExprKind::Call(terms) if is_call_of(terms, "eq") || is_call_of(terms, "equal") => match &terms[..] {
            [_, a, b] => Some((a, b)),
            _ => None,
        },
        _ => None,
    }
}

/// That something is among the values of a collection. What is no collection has no values.
fn one_of(collection: &Value) -> Condition {
    let alternatives: Vec<_> = match collection.view() {
        View::Array(items) => items.iter().map(Condition::equals).collect(),
        View::Set(members) => members.iter().map(Condition::equals).collect(),
        View::Object(entries) => entries.iter().map(|(_, value)| Condition::equals(value)).collect(),
        _ => Vec::new(),
    };
    if alternatives.len() > MOST_ALTERNATIVES || alternatives.contains(&Condition::Defined) {
        return Condition::Defined;
    }
    Condition::OneOf(alternatives)
}

fn strength(condition: &Condition) -> u8 {
    match condition {
        Condition::Defined => 0,
        Condition::Contains(_) => 1,
        Condition::Glob { .. } => 2,
        Condition::Array(_) => 3,
        Condition::OneOf(alternatives) if !alternatives.is_empty() => 4,
        Condition::Is(_) => 5,
        Condition::OneOf(_) => 6,
    }
}
