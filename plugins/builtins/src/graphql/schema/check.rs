//! What types and directives must keep to.

use std::collections::{HashMap, HashSet};

use super::super::budget::Budget;
use super::super::problem::{Fault, Position};
use super::super::tree::{
    ArgumentDefinition, Definition, Directive, DirectiveDefinition, FieldDefinition, LiteralKind, Type, kind,
};
use super::{Schema, complain};
use crate::spelling::quote;

/// What a part of a type may be of.
const OUTPUT: [&str; 5] = [kind::SCALAR, kind::OBJECT, kind::INTERFACE, kind::UNION, kind::ENUM];
const INPUT: [&str; 3] = [kind::SCALAR, kind::ENUM, kind::INPUT_OBJECT];

/// Checks all types and directives.
///
/// # Errors
/// The first thing that is wrong, in the order of names.
pub(super) fn all(schema: &Schema, budget: &mut Budget<'_>) -> Result<(), Fault> {
    let mut checker = Checker { schema, budget };
    schema.types.values().try_for_each(|definition| checker.definition(definition))?;
    schema.directives.values().try_for_each(|definition| checker.directive_definition(definition))
}

/// Checks directives at a place: `within` the definition of a directive, and whether it is `one` place, or what is added
/// up of several.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn directives(
    schema: &Schema,
    directives: &[Directive],
    location: &str,
    within: Option<&DirectiveDefinition>,
    one: bool,
    budget: &mut Budget<'_>,
) -> Result<(), Fault> {
    Checker { schema, budget }.directives(directives, location, within, one)
}

struct Checker<'a, 'b> {
    schema: &'a Schema,
    budget: &'a mut Budget<'b>,
}

impl Checker<'_, '_> {
    fn definition(&mut self, definition: &Definition) -> Result<(), Fault> {
        self.fields(definition)?;
        self.members(definition)?;
        for interface in &definition.interfaces {
            self.implements(definition, interface)?;
        }
        self.parts(definition)?;
        uniqueness(definition)?;
        if !definition.built_in {
            check_name(definition.at, &definition.name)?;
        }
        self.directives(&definition.directives, &definition.kind, None, false)
    }

    fn fields(&mut self, definition: &Definition) -> Result<(), Fault> {
        let input = definition.kind == kind::INPUT_OBJECT;
        let location = if input { "INPUT_FIELD_DEFINITION" } else { "FIELD_DEFINITION" };
        for field in &definition.fields {
            self.budget.spend(0)?;
            check_name(field.at, &field.name)?;
            self.known(&field.r#type)?;
            self.arguments(&field.arguments, None)?;
            self.directives(&field.directives, location, None, true)?;
        }
        Ok(())
    }

    /// The type within.
    fn known(&self, found: &Type) -> Result<&Definition, Fault> {
        let name = found.name();
        self.schema.get(name).ok_or_else(|| complain(found.at, format!("Undefined type {name}.")))
    }

    fn members(&mut self, definition: &Definition) -> Result<(), Fault> {
        for name in &definition.types {
            self.budget.spend(0)?;
            let Some(member) = self.schema.get(name) else {
                return Err(complain(definition.at, format!("Undefined type {}.", quote(name))));
            };
            if member.kind != kind::OBJECT {
                let message = format!("{} type {} must be {}.", definition.kind, quote(name), kind::OBJECT);
                return Err(complain(definition.at, message));
            }
        }
        Ok(())
    }

    /// That there are parts, and that they are of kinds that they can be of.
    fn parts(&mut self, definition: &Definition) -> Result<(), Fault> {
        let Definition { kind, name, fields, at, .. } = definition;
        let none = |what: &str| Err(complain(*at, format!("{kind} {name}: must define one or more {what}.")));
        match kind.as_str() {
            kind::OBJECT | kind::INTERFACE if fields.is_empty() => none("fields"),
            kind::INPUT_OBJECT if fields.is_empty() => none("input fields"),
            kind::ENUM if definition.enum_values.is_empty() => none("unique enum values"),
            kind::OBJECT | kind::INTERFACE => self.kinds(fields, &OUTPUT, |_, _| format!("{kind} {name}")),
            kind::INPUT_OBJECT => self.kinds(fields, &INPUT, |found, field| format!("{} {}", found.kind, field.name)),
            kind::ENUM => {
                for value in &definition.enum_values {
                    if ["true", "false", "null"].contains(&&*value.name) {
                        return Err(complain(*at, format!("{kind} {name}: non-enum value {}.", value.name)));
                    }
                    self.directives(&value.directives, "ENUM_VALUE", None, true)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn kinds(
        &self,
        fields: &[FieldDefinition],
        allowed: &[&str],
        who: impl Fn(&Definition, &FieldDefinition) -> String,
    ) -> Result<(), Fault> {
        for field in fields {
            let found = self.schema.get(field.r#type.name()).filter(|found| !allowed.contains(&&*found.kind));
            if let Some(found) = found {
                let message = format!("{}: field must be one of {}.", who(found, field), allowed.join(", "));
                return Err(complain(field.at, message));
            }
        }
        Ok(())
    }

    fn directive_definition(&mut self, definition: &DirectiveDefinition) -> Result<(), Fault> {
        check_name(definition.at, &definition.name)?;
        self.arguments(&definition.arguments, Some(definition))
    }

    fn arguments(
        &mut self,
        arguments: &[ArgumentDefinition],
        within: Option<&DirectiveDefinition>,
    ) -> Result<(), Fault> {
        for argument in arguments {
            self.budget.spend(0)?;
            check_name(argument.at, &argument.name)?;
            let found = self.known(&argument.r#type)?;
            if !found.is_input() {
                let (kind, name) = (&found.kind, &argument.name);
                let message = format!(
                    "cannot use {} as argument {name} because {kind} is not a valid input type",
                    argument.r#type
                );
                return Err(complain(argument.at, message));
            }
            self.directives(&argument.directives, "ARGUMENT_DEFINITION", within, true)?;
        }
        Ok(())
    }

    fn directives(
        &mut self,
        directives: &[Directive],
        location: &str,
        within: Option<&DirectiveDefinition>,
        one: bool,
    ) -> Result<(), Fault> {
        let mut seen = HashSet::new();
        for directive in directives {
            let Directive { name, arguments, at, .. } = directive;
            check_name(*at, name)?;
            if within.is_some_and(|within| within.name == *name) {
                return Err(complain(*at, format!("Directive {name} cannot refer to itself.")));
            }
            let Some(definition) = self.schema.directives.get(name) else {
                return Err(complain(*at, format!("Undefined directive {name}.")));
            };
            if one && !seen.insert(name) && !definition.is_repeatable {
                return Err(complain(*at, format!("The directive {name} can only be used once at this location.")));
            }
            if !definition.locations.iter().any(|allowed| allowed == location) {
                return Err(complain(*at, format!("Directive {name} is not applicable on {location}.")));
            }
            self.budget.spend((1 + arguments.len()).saturating_mul(definition.arguments.len()))?;
            for argument in arguments {
                if !definition.arguments.iter().any(|known| known.name == argument.name) {
                    let message = format!("Undefined argument {} for directive {name}.", argument.name);
                    return Err(complain(argument.at, message));
                }
            }
            let required = |known: &&ArgumentDefinition| known.r#type.non_null && known.default_value.is_none();
            for known in definition.arguments.iter().filter(required) {
                let given = arguments.iter().find(|argument| argument.name == known.name);
                if given.is_none_or(|argument| argument.value.kind == LiteralKind::Null) {
                    return Err(complain(*at, format!("Argument {} for directive {name} cannot be null.", known.name)));
                }
            }
        }
        Ok(())
    }

    fn implements(&mut self, definition: &Definition, name: &str) -> Result<(), Fault> {
        let Some(interface) = self.schema.get(name) else {
            return Err(complain(definition.at, format!("Undefined type {}.", quote(name))));
        };
        if interface.kind != kind::INTERFACE {
            let message = format!("{} is a non interface type {}.", quote(name), interface.kind);
            return Err(complain(definition.at, message));
        }
        for required in &interface.fields {
            self.implements_field(definition, interface, required)?;
        }
        for transitive in &interface.interfaces {
            self.budget.spend(definition.interfaces.len())?;
            if definition.interfaces.contains(transitive) {
                continue;
            }
            let own = &definition.name;
            let message = if transitive == own {
                format!("Type {own} cannot implement {name} because it would create a circular reference.")
            } else {
                format!("Type {own} must implement {transitive} because it is implemented by {name}.")
            };
            return Err(complain(definition.at, message));
        }
        Ok(())
    }

    fn implements_field(
        &mut self,
        definition: &Definition,
        interface: &Definition,
        required: &FieldDefinition,
    ) -> Result<(), Fault> {
        self.budget.spend(definition.fields.len())?;
        let own = format!("For {} to implement {}", definition.name, interface.name);
        let name = &required.name;
        let Some(found) = definition.field(name) else {
            return Err(complain(definition.at, format!("{own} it must have a field called {name}.")));
        };
        if !self.covers(&required.r#type, &found.r#type)? {
            let message = format!("{own} the field {name} must have type {}.", required.r#type);
            return Err(complain(found.at, message));
        }
        self.budget.spend(required.arguments.len().saturating_mul(found.arguments.len()).saturating_mul(2))?;
        let same = format!("{own} the field {name} must have the same arguments but");
        for argument in &required.arguments {
            let Some(given) = found.arguments.iter().find(|given| given.name == argument.name) else {
                return Err(complain(found.at, format!("{same} it is missing {}.", argument.name)));
            };
            if !argument.r#type.fits(&given.r#type) {
                return Err(complain(given.at, format!("{same} {} has the wrong type.", argument.name)));
            }
        }
        for given in &found.arguments {
            let additional = !required.arguments.iter().any(|argument| argument.name == given.name);
            if additional && given.r#type.non_null && given.default_value.is_none() {
                let message = format!(
                    "{own} any additional arguments on {name} must be optional or have a default value but {} is required.",
                    given.name
                );
                return Err(complain(given.at, message));
            }
        }
        Ok(())
    }

    /// Whether what is of the actual type is of the required one.
    fn covers(&mut self, required: &Type, actual: &Type) -> Result<bool, Fault> {
        if required.non_null && !actual.non_null {
            return Ok(false);
        }
        match (&required.elem, &actual.elem) {
            _ if !required.named_type.is_empty() => {
                let (required, actual) = (&required.named_type, &actual.named_type);
                self.budget.spend(self.schema.possible.get(required).map_or(0, Vec::len))?;
                Ok(required == actual || self.schema.possible(required).any(|possible| possible.name == *actual))
            }
            (Some(required), Some(actual)) => self.covers(required, actual),
            _ => Ok(false),
        }
    }
}

/// Names that begin with `__` are not for everyone.
fn check_name(at: Option<Position>, name: &str) -> Result<(), Fault> {
    if name.starts_with("__") {
        let message =
            format!("Name \"{name}\" must not begin with \"__\", which is reserved by GraphQL introspection.");
        return Err(complain(at, message));
    }
    Ok(())
}

/// That no part is there twice.
fn uniqueness(definition: &Definition) -> Result<(), Fault> {
    let Definition { name, fields, enum_values, types, type_positions, at, .. } = definition;
    if let Some(again) = repeated(fields.iter().map(|field| &*field.name)) {
        let message = format!("Field {name}.{} can only be defined once.", fields[again].name);
        return Err(complain(fields[again].at, message));
    }
    if let Some(again) = repeated(enum_values.iter().map(|value| &*value.name)) {
        let message = format!("Enum value {name}.{} can only be defined once.", enum_values[again].name);
        return Err(complain(enum_values[again].at, message));
    }
    if let Some(again) = repeated(types.iter().map(|member| &**member)) {
        let known = type_positions.get(again).copied().flatten().filter(|_| type_positions.len() == types.len());
        let message = format!("Union type {name} can only include type {} once.", types[again]);
        return Err(complain(known.or(*at), message));
    }
    Ok(())
}

/// Where the first of all names that are there twice is there again.
fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<usize> {
    let mut firsts = HashMap::new();
    let mut found: Option<(usize, usize)> = None;
    for (index, name) in names.enumerate() {
        let first = *firsts.entry(name).or_insert(index);
        if first != index && found.is_none_or(|(known, _)| first < known) {
            found = Some((first, index));
        }
    }
    found.map(|(_, again)| again)
}

#[cfg(test)]
mod tests {
    use super::repeated;

    #[test]
    fn the_first_name_that_is_repeated_counts() {
        assert_eq!(repeated("a b b a b".split(' ')), Some(3));
        assert_eq!(repeated("a b c".split(' ')), None);
    }
}
