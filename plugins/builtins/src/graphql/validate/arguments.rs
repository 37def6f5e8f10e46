//! Rules about fields, arguments and directives.

use std::collections::{HashMap, HashSet};

use super::super::problem::{Fault, Position};
use super::super::suggest::{did_you_mean, similar};
use super::super::tree::{
    Argument, ArgumentDefinition, Definition, Directive, DirectiveDefinition, Field, Selection, kind,
};
use super::{FieldFacts, Validator};

/// How many lists of `__Type` may lie within one another.
const INTROSPECTION_DEPTH: usize = 3;

impl<'a> Validator<'a, '_, '_> {
    pub(super) fn fields_on_correct_type(&mut self, field: &'a Field, facts: FieldFacts<'a>) -> Result<(), Fault> {
        let (Some(parent), None) = (facts.parent, facts.definition) else { return Ok(()) };
        let mut message = format!("Cannot query field \"{}\" on type \"{}\".", field.name, parent.name);
        let types = self.types_with(parent, &field.name)?;
        if types.is_empty() && [kind::OBJECT, kind::INTERFACE].contains(&&*parent.kind) {
            let names = parent.fields.iter().map(|field| &*field.name);
            message += &did_you_mean("", &similar(&field.name, names, self.budget)?);
        } else {
            message += &did_you_mean("to use an inline fragment on ", &types);
        }
        self.complain(field.at, message)
    }

    /// The types behind an abstract one that have the field: first the interfaces that the most of them have.
    fn types_with(&mut self, parent: &'a Definition, field: &str) -> Result<Vec<&'a str>, Fault> {
        if !parent.is_abstract() {
            return Ok(Vec::new());
        }
        let (mut types, mut usage) = (Vec::new(), HashMap::<&str, usize>::new());
        for possible in self.schema.possible(&parent.name) {
            self.budget.spend(possible.fields.len())?;
            if possible.field(field).is_none() {
                continue;
            }
            types.push(&*possible.name);
            for name in &possible.interfaces {
                let interface = self.schema.get(name);
                self.budget.spend(interface.map_or(0, |interface| interface.fields.len()))?;
                if interface.is_some_and(|interface| interface.field(field).is_some()) {
                    *usage.entry(name).or_default() += 1;
                }
            }
        }
        let mut types: Vec<&str> = usage.keys().copied().chain(types).collect();
        types.sort_by_key(|name| (std::cmp::Reverse(usage.get(name).copied().unwrap_or_default()), *name));
        Ok(types)
    }

    pub(super) fn known_field_arguments(&mut self, field: &'a Field, facts: FieldFacts<'a>) -> Result<(), Fault> {
        let (Some(parent), Some(definition)) = (facts.parent, facts.definition) else { return Ok(()) };
        let of = format!("field \"{}.{}\"", parent.name, field.name);
        self.known_arguments(&of, field.at, &definition.arguments, &field.arguments)
    }

    pub(super) fn known_arguments(
        &mut self,
        of: &str,
        at: Option<Position>,
        definitions: &'a [ArgumentDefinition],
        arguments: &'a [Argument],
    ) -> Result<(), Fault> {
        for Argument { name, .. } in arguments {
            self.budget.spend(definitions.len())?;
            if definitions.iter().all(|definition| definition.name != *name) {
                let names = definitions.iter().map(|definition| &*definition.name);
                let meant = did_you_mean("", &similar(name, names, self.budget)?);
                self.complain(at, format!("Unknown argument \"{name}\" on {of}.{meant}"))?;
            }
        }
        Ok(())
    }

    pub(super) fn required_arguments(
        &mut self,
        who: &str,
        at: Option<Position>,
        definitions: &'a [ArgumentDefinition],
        arguments: &'a [Argument],
    ) -> Result<(), Fault> {
        for ArgumentDefinition { name, r#type, default_value, .. } in definitions {
            self.budget.spend(arguments.len())?;
            let given = arguments.iter().any(|argument| argument.name == *name);
            if r#type.non_null && default_value.is_none() && !given {
                let message =
                    format!("{who} argument \"{name}\" of type \"{type}\" is required, but it was not provided.");
                self.complain(at, message)?;
            }
        }
        Ok(())
    }

    pub(super) fn unique_arguments(&mut self, arguments: &'a [Argument]) -> Result<(), Fault> {
        let mut counts = HashMap::<&str, usize>::new();
        for Argument { name, at, .. } in arguments {
            let count = counts.entry(name).or_default();
            *count += 1;
            if *count == 2 {
                self.complain(*at, format!("There can be only one argument named \"{name}\"."))?;
            }
        }
        Ok(())
    }

    pub(super) fn scalar_leafs(&mut self, field: &'a Field, facts: FieldFacts<'a>) -> Result<(), Fault> {
        let Some(definition) = facts.definition else { return Ok(()) };
        let (name, of) = (&field.name, &definition.r#type);
        let Some(found) = self.schema.get(of.name()) else { return Ok(()) };
        match (found.is_leaf(), field.selection_set.is_empty()) {
            (true, false) => {
                let found = &found.name;
                let message =
                    format!("Field \"{name}\" must not have a selection since type \"{found}\" has no subfields.");
                self.complain(field.at, message)
            }
            (false, true) => {
                let meant = format!("Did you mean \"{name} {{ ... }}\"?");
                let message = format!("Field \"{name}\" of type \"{of}\" must have a selection of subfields. {meant}");
                self.complain(field.at, message)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn introspection_depth(&mut self, field: &'a Field) -> Result<(), Fault> {
        if !["__schema", "__type"].contains(&&*field.name) {
            return Ok(());
        }
        let mut within = HashSet::new();
        if self.introspects_deeply(field, &mut within, 0)? {
            self.complain(field.at, "Maximum introspection depth exceeded")?;
        }
        Ok(())
    }

    fn introspects_deeply(
        &mut self,
        field: &'a Field,
        within: &mut HashSet<&'a str>,
        depth: usize,
    ) -> Result<bool, Fault> {
        let lists = ["fields", "interfaces", "possibleTypes", "inputFields"];
        let depth = depth + usize::from(lists.contains(&&*field.name));
        Ok(depth >= INTROSPECTION_DEPTH || self.selects_deeply(&field.selection_set, within, depth)?)
    }

    fn selects_deeply(
        &mut self,
        selections: &'a [Selection],
        within: &mut HashSet<&'a str>,
        depth: usize,
    ) -> Result<bool, Fault> {
        self.budget.enter()?;
        for selection in selections {
            self.budget.spend(0)?;
            let deep = match selection {
                Selection::Field(field) => self.introspects_deeply(field, within, depth)?,
                Selection::Inline(inline) => self.selects_deeply(&inline.selection_set, within, depth)?,
                Selection::Spread(spread) => match self.fragments.get(&*spread.name).copied() {
                    Some(fragment) if within.insert(&spread.name) => {
                        let deep = self.selects_deeply(&fragment.selection_set, within, depth)?;
                        within.remove(&*spread.name);
                        deep
                    }
                    _ => false,
                },
            };
            if deep {
                self.budget.leave();
                return Ok(true);
            }
        }
        self.budget.leave();
        Ok(false)
    }

    pub(super) fn known_directive(
        &mut self,
        directive: &'a Directive,
        definition: Option<&'a DirectiveDefinition>,
        location: &'static str,
    ) -> Result<(), Fault> {
        let Directive { name, at, .. } = directive;
        let Some(definition) = definition else {
            return self.complain(*at, format!("Unknown directive \"@{name}\"."));
        };
        if definition.locations.iter().any(|allowed| allowed == location) || !self.seen.misplaced.insert((name, *at)) {
            return Ok(());
        }
        self.complain(*at, format!("Directive \"@{name}\" may not be used on {location}."))
    }

    /// Looks at all directives of one place.
    pub(super) fn on_directives(&mut self, directives: &'a [Directive]) -> Result<(), Fault> {
        let mut seen = HashSet::new();
        for Directive { name, at, .. } in directives {
            let repeatable = self.schema.directives.get(name).is_some_and(|definition| definition.is_repeatable);
            if !seen.insert(name) && !repeatable {
                self.complain(*at, format!("The directive \"@{name}\" can only be used once at this location."))?;
            }
        }
        Ok(())
    }
}
