//! Rules about operations and their variables.

use std::collections::{HashMap, HashSet};

use super::super::problem::{Fault, Position};
use super::super::tree::{Field, Operation, Selection, Variable};
use super::Validator;
use crate::spelling::quote;

impl<'a> Validator<'a, '_, '_> {
    pub(super) fn known_variable_type(&mut self, variable: &'a Variable) -> Result<(), Fault> {
        let name = variable.r#type.name();
        if self.schema.get(name).is_none() {
            self.complain(variable.at, format!("Unknown type \"{name}\"."))?;
        }
        Ok(())
    }

    pub(super) fn on_operation(&mut self, operation: &'a Operation) -> Result<(), Fault> {
        let Operation { name, operation: kind, at, .. } = operation;
        if self.schema.root(kind).is_none() {
            self.complain(*at, format!("Schema does not support operation type \"{kind}\""))?;
        }
        if name.is_empty() && self.document.operations.len() > 1 {
            self.complain(*at, "This anonymous operation must be the only defined operation.")?;
        }
        self.unused_variables(operation)?;
        self.overlapping_fields(&operation.selection_set)?;
        self.single_field_subscription(operation)?;
        if !self.seen.operations.insert(name) {
            self.complain(*at, format!("There can be only one operation named \"{name}\"."))?;
        }
        self.unique_variables(operation)?;
        self.variables_are_input(operation)
    }

    fn unused_variables(&mut self, operation: &'a Operation) -> Result<(), Fault> {
        for variable in &operation.variable_definitions {
            if variable.used || self.used.contains(&std::ptr::from_ref(variable)) {
                continue;
            }
            let within =
                if operation.name.is_empty() { String::new() } else { format!(" in operation \"{}\"", operation.name) };
            self.complain(variable.at, format!("Variable \"${}\" is never used{within}.", variable.variable))?;
        }
        Ok(())
    }

    fn unique_variables(&mut self, operation: &'a Operation) -> Result<(), Fault> {
        let mut counts = HashMap::<&str, usize>::new();
        for Variable { variable, at, .. } in &operation.variable_definitions {
            let count = counts.entry(variable).or_default();
            *count += 1;
            if *count == 2 {
                self.complain(*at, format!("There can be only one variable named \"${variable}\"."))?;
            }
        }
        Ok(())
    }

    fn variables_are_input(&mut self, operation: &'a Operation) -> Result<(), Fault> {
        for Variable { variable, r#type, at, .. } in &operation.variable_definitions {
            if self.schema.get(r#type.name()).is_some_and(|found| !found.is_input()) {
                self.complain(*at, format!("Variable \"${variable}\" cannot be non-input type \"{type}\"."))?;
            }
        }
        Ok(())
    }

    fn single_field_subscription(&mut self, operation: &'a Operation) -> Result<(), Fault> {
        if operation.operation != "subscription" || self.schema.root("subscription").is_none() {
            return Ok(());
        }
        let mut fields = Vec::new();
        self.top_fields(&operation.selection_set, &mut HashSet::new(), &mut fields)?;
        let mut seen = HashSet::new();
        let fields: Vec<(&str, Option<Position>)> =
            fields.iter().filter(|field| seen.insert(&*field.name)).map(|field| (&*field.name, field.at)).collect();
        let who = match &*operation.name {
            "" => "Anonymous Subscription".to_owned(),
            name => format!("Subscription {}", quote(name)),
        };
        if let [_, (_, at), ..] = fields[..] {
            self.complain(at, format!("{who} must select only one top level field."))?;
        }
        for (_, at) in fields.into_iter().filter(|(name, _)| name.starts_with("__")) {
            self.complain(at, format!("{who} must not select an introspection top level field."))?;
        }
        Ok(())
    }

    /// The fields that are selected of the root. A fragment that there is not ends the selection that it is in.
    fn top_fields(
        &mut self,
        selections: &'a [Selection],
        entered: &mut HashSet<&'a str>,
        found: &mut Vec<&'a Field>,
    ) -> Result<(), Fault> {
        self.budget.enter()?;
        for selection in selections {
            self.budget.spend(0)?;
            match selection {
                Selection::Field(field) => found.push(field),
                Selection::Inline(inline) => self.top_fields(&inline.selection_set, entered, found)?,
                Selection::Spread(spread) => {
                    let Some(fragment) = self.fragments.get(&*spread.name).copied() else { break };
                    if entered.insert(&fragment.name) {
                        self.top_fields(&fragment.selection_set, entered, found)?;
                    }
                }
            }
        }
        self.budget.leave();
        Ok(())
    }
}
