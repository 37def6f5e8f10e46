//! The rule that fields which would answer under one name must be the same.
//!
//! Fields are compared within a selection, of a selection with those of the fragments that it spreads, and of such
//! fragments with one another; where two have selections of their own, these in turn.

use std::collections::{HashMap, HashSet};

use super::super::problem::{Fault, Position};
use super::super::tree::{Argument, Field, Fragment, Selection, Type, kind};
use super::Validator;

/// How many steps it counts to compare two fields.
const COMPARISON: usize = 8;

/// What has been compared.
#[derive(Default)]
pub(super) struct Compared<'a> {
    /// Pairs of fragments, and whether their fields could not meet in one answer.
    pairs: HashMap<(&'a str, &'a str), bool>,
    /// The fragments that the fields at hand were compared with.
    fragments: HashSet<&'a str>,
}

/// What stands in the way of merging two fields.
struct Conflict<'a> {
    /// The name that they would answer under.
    name: &'a str,
    why: Why<'a>,
    at: Option<Position>,
}

enum Why<'a> {
    /// The fields themselves.
    Fields(String),
    /// What they select.
    Parts(Vec<Conflict<'a>>),
}

impl Conflict<'_> {
    fn explain(&self, out: &mut String) {
        match &self.why {
            Why::Fields(message) => out.push_str(message),
            Why::Parts(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    out.push_str(if index == 0 { "subfields \"" } else { " and subfields \"" });
                    out.push_str(part.name);
                    out.push_str("\" conflict because ");
                    part.explain(out);
                }
            }
        }
    }
}

/// The fields of a selection by the names that they answer under, in order.
#[derive(Default)]
struct Fields<'a> {
    names: Vec<&'a str>,
    fields: HashMap<&'a str, Vec<&'a Field>>,
}

impl<'a> Fields<'a> {
    fn iter(&self) -> impl Iterator<Item = (&'a str, &[&'a Field])> {
        self.names.iter().filter_map(|name| Some((*name, &self.fields.get(name)?[..])))
    }

    /// Whether both are the same fields of the document.
    fn is(&self, other: &Self) -> bool {
        let same = |(one, other): (&&Field, &&Field)| std::ptr::eq(*one, *other);
        self.names == other.names
            && self
                .iter()
                .zip(other.iter())
                .all(|((_, one), (_, other))| one.len() == other.len() && one.iter().zip(other).all(same))
    }
}

type Spreads<'a> = Vec<&'a str>;

impl<'a> Validator<'a, '_, '_> {
    pub(super) fn overlapping_fields(&mut self, selections: &'a [Selection]) -> Result<(), Fault> {
        if selections.is_empty() {
            return Ok(());
        }
        let (fields, spreads) = self.collect(selections)?;
        let mut conflicts = Vec::new();
        for (_, fields) in fields.iter() {
            for (index, one) in fields.iter().enumerate() {
                for other in &fields[index + 1..] {
                    conflicts.extend(self.conflict(false, one, other)?);
                }
            }
        }
        self.overlap.fragments.clear();
        for (index, one) in spreads.iter().enumerate() {
            self.fields_and_fragment(&mut conflicts, false, &fields, one)?;
            for other in &spreads[index + 1..] {
                self.fragment_pair(&mut conflicts, false, one, other)?;
            }
        }
        for conflict in conflicts {
            let mut why = String::new();
            conflict.explain(&mut why);
            let name = conflict.name;
            let message = format!(
                "Fields \"{name}\" conflict because {why}. Use different aliases on the fields to fetch both if this was intentional."
            );
            self.complain(conflict.at, message)?;
        }
        Ok(())
    }

    /// The fields of a selection, those of its inline fragments with them, and the fragments that it spreads.
    fn collect(&mut self, selections: &'a [Selection]) -> Result<(Fields<'a>, Spreads<'a>), Fault> {
        let (mut fields, mut spreads) = (Fields::default(), Vec::new());
        let mut open = vec![selections.iter()];
        while let Some(next) = open.last_mut() {
            self.budget.spend(0)?;
            match next.next() {
                None => {
                    open.pop();
                }
                Some(Selection::Inline(inline)) => open.push(inline.selection_set.iter()),
                Some(Selection::Spread(spread)) => spreads.push(&*spread.name),
                Some(Selection::Field(field)) => {
                    let name = response_name(field);
                    let known = fields.fields.entry(name).or_default();
                    if known.is_empty() {
                        fields.names.push(name);
                    }
                    known.push(field);
                }
            }
        }
        Ok((fields, spreads))
    }

    fn fragment(&self, name: &str) -> Option<&'a Fragment> {
        self.fragments.get(name).copied()
    }

    /// Compares fields with those of a fragment and of what it spreads.
    fn fields_and_fragment(
        &mut self,
        conflicts: &mut Vec<Conflict<'a>>,
        exclusive: bool,
        fields: &Fields<'a>,
        name: &'a str,
    ) -> Result<(), Fault> {
        if !self.overlap.fragments.insert(name) {
            return Ok(());
        }
        let Some(fragment) = self.fragment(name) else { return Ok(()) };
        let (others, spreads) = self.collect(&fragment.selection_set)?;
        if fields.is(&others) {
            return Ok(());
        }
        self.budget.enter()?;
        self.between(conflicts, exclusive, fields, &others)?;
        for spread in spreads.into_iter().filter(|spread| *spread != name) {
            self.fields_and_fragment(conflicts, exclusive, fields, spread)?;
        }
        self.budget.leave();
        Ok(())
    }

    /// Compares the fields of two fragments and of what they spread.
    fn fragment_pair(
        &mut self,
        conflicts: &mut Vec<Conflict<'a>>,
        exclusive: bool,
        one: &'a str,
        other: &'a str,
    ) -> Result<(), Fault> {
        // Those that can meet in one answer were compared as strictly as those that cannot.
        let known = self.overlap.pairs.get(&(one, other)).is_some_and(|compared| exclusive || !compared);
        if one == other || known {
            return Ok(());
        }
        self.overlap.pairs.insert((one, other), exclusive);
        self.overlap.pairs.insert((other, one), exclusive);
        let (Some(first), Some(second)) = (self.fragment(one), self.fragment(other)) else { return Ok(()) };
        let (first_fields, first_spreads) = self.collect(&first.selection_set)?;
        let (second_fields, second_spreads) = self.collect(&second.selection_set)?;
        self.budget.enter()?;
        self.between(conflicts, exclusive, &first_fields, &second_fields)?;
        for spread in second_spreads {
            self.fragment_pair(conflicts, exclusive, one, spread)?;
        }
        for spread in first_spreads {
            self.fragment_pair(conflicts, exclusive, spread, other)?;
        }
        self.budget.leave();
        Ok(())
    }

    /// Compares fields with others of the same names.
    fn between(
        &mut self,
        conflicts: &mut Vec<Conflict<'a>>,
        exclusive: bool,
        fields: &Fields<'a>,
        others: &Fields<'a>,
    ) -> Result<(), Fault> {
        for (name, fields) in fields.iter() {
            for field in fields {
                for other in others.fields.get(name).into_iter().flatten() {
                    conflicts.extend(self.conflict(exclusive, field, other)?);
                }
            }
        }
        Ok(())
    }

    /// What stands in the way of merging the fields. Those of `exclusive` parents, of different objects, may differ, but
    /// not in what type they answer with.
    fn conflict(&mut self, exclusive: bool, one: &'a Field, other: &'a Field) -> Result<Option<Conflict<'a>>, Fault> {
        self.budget.spend(one.arguments.len().saturating_mul(other.arguments.len()).saturating_add(COMPARISON))?;
        let facts = |field: &'a Field| self.fields.get(&std::ptr::from_ref(field)).copied();
        let (Some(first), Some(second)) = (facts(one), facts(other)) else { return Ok(None) };
        let (Some(parent), Some(other_parent)) = (first.parent, second.parent) else { return Ok(None) };
        let definitions = first.definition.zip(second.definition);
        let objects = parent.kind == kind::OBJECT && other_parent.kind == kind::OBJECT;
        let exclusive = exclusive || (objects && parent.name != other_parent.name && definitions.is_some());
        let conflict = |why| Ok(Some(Conflict { name: response_name(one), why, at: other.at }));
        if !exclusive && one.name != other.name {
            return conflict(Why::Fields(format!("\"{}\" and \"{}\" are different fields", one.name, other.name)));
        }
        if !exclusive && !same_arguments(&one.arguments, &other.arguments) {
            return conflict(Why::Fields("they have differing arguments".to_owned()));
        }
        if let Some((first, second)) = definitions
            && self.types_conflict(&first.r#type, &second.r#type)
        {
            let (first, second) = (&first.r#type, &second.r#type);
            return conflict(Why::Fields(format!("they return conflicting types \"{first}\" and \"{second}\"")));
        }
        let parts = self.parts(exclusive, &one.selection_set, &other.selection_set)?;
        if parts.is_empty() { Ok(None) } else { conflict(Why::Parts(parts)) }
    }

    /// Compares what two fields select.
    fn parts(
        &mut self,
        exclusive: bool,
        one: &'a [Selection],
        other: &'a [Selection],
    ) -> Result<Vec<Conflict<'a>>, Fault> {
        let mut conflicts = Vec::new();
        if one.is_empty() || other.is_empty() {
            return Ok(conflicts);
        }
        let (fields, spreads) = self.collect(one)?;
        let (other_fields, other_spreads) = self.collect(other)?;
        self.budget.enter()?;
        self.between(&mut conflicts, exclusive, &fields, &other_fields)?;
        for (fields, spreads) in [(&fields, &other_spreads), (&other_fields, &spreads)] {
            for spread in spreads {
                self.overlap.fragments.clear();
                self.fields_and_fragment(&mut conflicts, exclusive, fields, spread)?;
            }
        }
        for one in spreads {
            for other in &other_spreads {
                self.fragment_pair(&mut conflicts, exclusive, one, other)?;
            }
        }
        self.budget.leave();
        Ok(conflicts)
    }

    /// Whether values of the types cannot stand for one another.
    fn types_conflict(&self, one: &Type, other: &Type) -> bool {
        match (&one.elem, &other.elem) {
            (Some(one), Some(other)) => self.types_conflict(one, other),
            (None, None) if one.non_null == other.non_null => {
                let leaf = |name: &str| self.schema.get(name).filter(|found| found.is_leaf());
                leaf(&one.named_type).zip(leaf(&other.named_type)).is_some_and(|(one, other)| one.name != other.name)
            }
            _ => true,
        }
    }
}

/// The name that a field answers under.
fn response_name(field: &Field) -> &str {
    if field.alias.is_empty() { &field.name } else { &field.alias }
}

/// Whether the same is given. Of lists and objects only that they are such counts.
fn same_arguments(one: &[Argument], other: &[Argument]) -> bool {
    let same = |one: &Argument, other: &Argument| {
        one.name == other.name && one.value.kind == other.value.kind && one.value.raw == other.value.raw
    };
    one.len() == other.len() && one.iter().all(|argument| other.iter().any(|given| same(argument, given)))
}
