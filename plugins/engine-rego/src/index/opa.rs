//! What OPA 1.9 reads off a rule: this decides the order of rules and what traces show.

use std::cmp::Reverse;

use super::Entry;
use super::condition::{Condition, Conditions, indexable, is_call_of, slots};
use super::constant::scalar;
use super::glob;
use super::reference::References;
use crate::syntax::ast::{ExprKind, Term, TermKind, Var};

/// Further references of one branch do not count, which bounds the work.
const MOST_READ: usize = 256;

/// What is read off one branch: for each reference what was said last.
#[derive(Default)]
struct Reader<'a> {
    args: &'a [Term],
    read: Vec<(u32, Condition, Option<Var>)>,
}

/// Reads all branches.
pub(super) fn read(entries: &[Entry<'_>], references: &mut References<'_>) -> Conditions {
    // How often each reference was seen, which is more often than it is indexed where a body repeats it.
    let mut seen: Vec<usize> = Vec::new();
    let mut all = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut reader = Reader { args: entry.args, read: Vec::new() };
        for expr in indexable(entry.rule) {
            if let Some(reference) = reader.expr(&expr.kind, references) {
                let at = reference as usize;
                seen.resize(seen.len().max(at + 1), 0);
                seen[at] += 1;
            }
        }
        all.push(reader.read.into_iter().map(|(reference, condition, _)| (reference, condition)).collect());
    }
    let mut levels: Vec<u32> = (0_u32..).zip(&seen).filter(|(_, seen)| **seen > 0).map(|(number, _)| number).collect();
    levels.sort_by_key(|number| (Reverse(seen[*number as usize]), references.place(*number)));
    Conditions::new(all, levels)
}

impl Reader<'_> {
    fn expr(&mut self, kind: &ExprKind, references: &mut References<'_>) -> Option<u32> {
        match kind {
            ExprKind::Term(term @ Term { kind: TermKind::Ref(_), .. }) => {
                let reference = references.of(term)?;
                self.insert(reference, Condition::Defined, None);
                Some(reference)
            }
            ExprKind::Call(terms) => match &terms[..] {
                [_, a, b] if is_call_of(terms, "eq") || is_call_of(terms, "equal") => {
                    self.equality(a, b, references).or_else(|| self.equality(b, a, references))
                }
                [_, pattern, delimiters, value] if is_call_of(terms, "glob.match") => {
                    self.glob(pattern, delimiters, value.as_var()?, references)
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn equality(&mut self, a: &Term, b: &Term, references: &mut References<'_>) -> Option<u32> {
        let condition = match &b.kind {
            TermKind::Var(_) => Condition::Defined,
            TermKind::Array(items) => Condition::array(slots(items, |_| None)?),
            _ => Condition::Is(scalar(b)?.clone()),
        };
        let argument = a.as_var().and_then(|name| self.argument(name));
        let reference = match argument {
            Some(position) => references.argument(position),
            None => references.of(a)?,
        };
        self.insert(reference, condition, b.as_var().cloned());
        Some(reference)
    }

    fn glob(&mut self, pattern: &Term, delimiters: &Term, name: &Var, references: &mut References<'_>) -> Option<u32> {
        let delimiters = glob::delimiters(delimiters)?;
        let parts = glob::parts(pattern, &delimiters)?;
        let bound = self.read.iter().rev().find(|(_, _, bound)| bound.as_ref() == Some(name));
        let reference = match bound {
            Some((reference, ..)) => *reference,
            None => references.argument(self.argument(name)?),
        };
        self.insert(reference, Condition::glob(&delimiters, parts), None);
        Some(reference)
    }

    fn argument(&self, name: &Var) -> Option<usize> {
        self.args.iter().position(|arg| arg.as_var() == Some(name))
    }

    fn insert(&mut self, reference: u32, condition: Condition, bound: Option<Var>) {
        let known = self.read.iter().position(|(known, ..)| *known == reference);
        match known {
            Some(at) => self.read[at] = (reference, condition, bound),
            None if self.read.len() < MOST_READ => self.read.push((reference, condition, bound)),
            None => {}
        }
    }
}
