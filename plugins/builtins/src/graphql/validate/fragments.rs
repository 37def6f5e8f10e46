//! Rules about fragments.

use std::collections::HashMap;

use super::super::problem::Fault;
use super::super::suggest::{did_you_mean, similar};
use super::super::tree::{Definition, Fragment, Inline, Selection, Spread, kind};
use super::Validator;

impl<'a> Validator<'a, '_, '_> {
    pub(super) fn on_inline(&mut self, inline: &'a Inline, parent: Option<&'a Definition>) -> Result<(), Fault> {
        let condition = &inline.type_condition;
        match self.schema.get(condition) {
            Some(found) if !found.is_composite() => {
                let message = format!("Fragment cannot condition on non composite type \"{condition}\".");
                self.complain(inline.at, message)?;
            }
            None if !condition.is_empty() => self.complain(inline.at, format!("Unknown type \"{condition}\"."))?,
            _ => {}
        }
        self.overlapping_fields(&inline.selection_set)?;
        if let Some(parent) = parent
            && !self.can_be(parent, condition)?
        {
            let message = format!(
                "Fragment cannot be spread here as objects of type \"{}\" can never be of type \"{condition}\".",
                parent.name
            );
            self.complain(inline.at, message)?;
        }
        Ok(())
    }

    pub(super) fn on_spread(
        &mut self,
        spread: &'a Spread,
        fragment: Option<&'a Fragment>,
        parent: Option<&'a Definition>,
    ) -> Result<(), Fault> {
        let name = &spread.name;
        if fragment.is_none() {
            self.complain(spread.at, format!("Unknown fragment \"{name}\"."))?;
        }
        if !self.seen.in_fragments {
            self.seen.spread.insert(name);
        }
        if let (Some(fragment), Some(parent)) = (fragment, parent)
            && !self.can_be(parent, &fragment.type_condition)?
        {
            let (parent, condition) = (&parent.name, &fragment.type_condition);
            let message = format!(
                "Fragment \"{name}\" cannot be spread here as objects of type \"{parent}\" can never be of type \"{condition}\"."
            );
            self.complain(spread.at, message)?;
        }
        Ok(())
    }

    /// Whether what is of a type can be of another, as far as that can be told.
    fn can_be(&mut self, parent: &'a Definition, other: &str) -> Result<bool, Fault> {
        let Some(other) = self.schema.get(other).filter(|other| other.is_composite()) else { return Ok(true) };
        let schema = self.schema;
        if parent.kind == kind::OBJECT {
            self.budget.spend(schema.possible(&other.name).count())?;
            return Ok(schema.possible(&other.name).any(|possible| possible.name == parent.name));
        }
        if !parent.is_abstract() {
            return Ok(true);
        }
        let others: std::collections::HashSet<&str> =
            schema.possible(&other.name).map(|possible| &*possible.name).collect();
        self.budget.spend(others.len() + schema.possible(&parent.name).count())?;
        Ok(schema.possible(&parent.name).any(|possible| others.contains(&*possible.name)))
    }

    pub(super) fn on_fragment(&mut self, fragment: &'a Fragment) -> Result<(), Fault> {
        let Fragment { name, type_condition: condition, at, .. } = fragment;
        match self.schema.get(condition) {
            Some(found) if !condition.is_empty() && !found.is_composite() => {
                let message = format!("Fragment \"{name}\" cannot condition on non composite type \"{condition}\".");
                self.complain(*at, message)?;
            }
            Some(_) => {}
            None => {
                let types = self.schema.types.keys().map(|name| &**name);
                let meant = did_you_mean("", &similar(condition, types, self.budget)?);
                self.complain(*at, format!("Unknown type \"{condition}\".{meant}"))?;
            }
        }
        self.fragment_cycles(fragment, &mut Path::default())?;
        self.seen.in_fragments = true;
        if !self.seen.spread.contains(&**name) {
            self.complain(*at, format!("Fragment \"{name}\" is never used."))?;
        }
        self.overlapping_fields(&fragment.selection_set)?;
        if !self.seen.fragments.insert(name) {
            self.complain(*at, format!("There can be only one fragment named \"{name}\"."))?;
        }
        Ok(())
    }

    fn fragment_cycles(&mut self, fragment: &'a Fragment, path: &mut Path<'a>) -> Result<(), Fault> {
        if !self.seen.cyclic.insert(&fragment.name) {
            return Ok(());
        }
        let spreads = self.spreads(&fragment.selection_set)?;
        if spreads.is_empty() {
            return Ok(());
        }
        self.budget.enter()?;
        path.starts.insert(&fragment.name, path.names.len());
        for spread in spreads {
            self.budget.spend(0)?;
            let name = &*spread.name;
            if let Some(start) = path.starts.get(name) {
                let via: Vec<String> = path.names[*start..].iter().map(|name| format!("\"{name}\"")).collect();
                let via = if via.is_empty() { String::new() } else { format!(" via {}", via.join(", ")) };
                self.complain(spread.at, format!("Cannot spread fragment \"{name}\" within itself{via}."))?;
            } else if let Some(inner) = self.fragments.get(name).copied() {
                path.names.push(name);
                self.fragment_cycles(inner, path)?;
                path.names.pop();
            }
        }
        path.starts.remove(&*fragment.name);
        self.budget.leave();
        Ok(())
    }

    /// What a fragment spreads, at whatever depth; the last of what lies deeper comes first.
    fn spreads(&mut self, selections: &'a [Selection]) -> Result<Vec<&'a Spread>, Fault> {
        let mut found = Vec::new();
        let mut open = vec![selections];
        while let Some(selections) = open.pop() {
            self.budget.spend(selections.len())?;
            for selection in selections {
                match selection {
                    Selection::Spread(spread) => found.push(spread),
                    Selection::Field(field) => open.push(&field.selection_set),
                    Selection::Inline(inline) => open.push(&inline.selection_set),
                }
            }
        }
        Ok(found)
    }
}

/// The way to a fragment through those that spread it.
#[derive(Default)]
struct Path<'a> {
    names: Vec<&'a str>,
    starts: HashMap<&'a str, usize>,
}
