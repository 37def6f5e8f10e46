//! Rules about values.

use std::collections::HashSet;

use super::super::problem::Fault;
use super::super::suggest::{did_you_mean, similar};
use super::super::tree::{Child, Definition, FieldDefinition, Literal, LiteralKind, Type, kind};
use super::{Expected, Validator};

/// The scalars whose values are checked.
const STANDARD: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

impl<'a> Validator<'a, '_, '_> {
    pub(super) fn on_value(&mut self, value: &'a Literal, expected: Expected<'a>) -> Result<(), Fault> {
        self.undefined_variable(value)?;
        self.unique_input_fields(value)?;
        if let (Some(definition), Some(found)) = (expected.definition, expected.r#type) {
            self.value_of_correct_type(value, definition, found)?;
        }
        self.variable_in_allowed_position(value, expected)?;
        self.variables_in_one_of(value, expected)
    }

    fn undefined_variable(&mut self, value: &'a Literal) -> Result<(), Fault> {
        let Some(operation) = self.operation else { return Ok(()) };
        if value.kind != LiteralKind::Variable || self.bound(value).is_some() {
            return Ok(());
        }
        let by =
            if operation.name.is_empty() { String::new() } else { format!(" by operation \"{}\"", operation.name) };
        self.complain(value.at, format!("Variable \"{value}\" is not defined{by}."))
    }

    fn unique_input_fields(&mut self, value: &'a Literal) -> Result<(), Fault> {
        if value.kind != LiteralKind::Object {
            return Ok(());
        }
        let mut seen = HashSet::new();
        for Child { name, at, .. } in &value.children {
            if !seen.insert(name) {
                self.complain(*at, format!("There can be only one input field named \"{name}\"."))?;
            }
        }
        Ok(())
    }

    fn value_of_correct_type(
        &mut self,
        value: &'a Literal,
        definition: &'a Definition,
        expected: &'a Type,
    ) -> Result<(), Fault> {
        if value.kind == LiteralKind::Null && expected.non_null {
            self.complain(value.at, format!("Expected value of type \"{expected}\", found {value}."))?;
        }
        let name = definition.name.as_str();
        if definition.kind == kind::SCALAR && !STANDARD.contains(&name) {
            return Ok(());
        }
        if self.is_unreadable(value)? {
            self.wrong_value(value, definition, expected)?;
        }
        let fits = match value.kind {
            LiteralKind::Null | LiteralKind::Variable => true,
            LiteralKind::List => expected.elem.is_some(),
            LiteralKind::Int => ["Int", "Float", "ID"].contains(&name),
            LiteralKind::Float => name == "Float",
            LiteralKind::Boolean => name == "Boolean",
            LiteralKind::String | LiteralKind::Block if definition.kind == kind::ENUM => {
                let meant = self.meant_enum(value, definition)?;
                let message = format!("Enum \"{expected}\" cannot represent non-enum value: {value}.{meant}");
                return self.complain(value.at, message);
            }
            LiteralKind::String | LiteralKind::Block => ["String", "ID"].contains(&name),
            LiteralKind::Enum if definition.kind == kind::ENUM => {
                self.budget.spend(definition.enum_values.len())?;
                if definition.enum_values.iter().any(|known| known.name == value.raw) {
                    return Ok(());
                }
                let meant = self.meant_enum(value, definition)?;
                let message = format!("Value \"{value}\" does not exist in \"{expected}\" enum.{meant}");
                return self.complain(value.at, message);
            }
            LiteralKind::Enum => false,
            LiteralKind::Object => return self.input_object(value, definition),
        };
        if fits { Ok(()) } else { self.wrong_value(value, definition, expected) }
    }

    /// The values of the enum that may have been meant.
    fn meant_enum(&mut self, value: &Literal, definition: &'a Definition) -> Result<String, Fault> {
        let names = definition.enum_values.iter().map(|known| &*known.name);
        Ok(did_you_mean("the enum value ", &similar(&value.raw, names, self.budget)?))
    }

    /// Whether a number is too large to be read, or one within a list or object is.
    fn is_unreadable(&mut self, value: &'a Literal) -> Result<bool, Fault> {
        self.budget.spend(0)?;
        match value.kind {
            LiteralKind::Int => Ok(value.raw.parse::<i64>().is_err()),
            LiteralKind::Float => Ok(!value.raw.parse::<f64>().is_ok_and(f64::is_finite)),
            LiteralKind::Variable => match self.bound(value).and_then(|variable| variable.default_value.as_ref()) {
                Some(default) => self.is_unreadable(default),
                None => Ok(false),
            },
            LiteralKind::List | LiteralKind::Object => {
                for child in &value.children {
                    if self.is_unreadable(&child.value)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    fn wrong_value(&mut self, value: &'a Literal, definition: &'a Definition, expected: &'a Type) -> Result<(), Fault> {
        let message = match expected.to_string().as_str() {
            "Int" | "Int!" if is_large(&value.raw) => {
                format!("Int cannot represent non 32-bit signed integer value: {value}")
            }
            "Int" | "Int!" => format!("Int cannot represent non-integer value: {value}"),
            "String" | "String!" | "[String]" => format!("String cannot represent a non string value: {value}"),
            "Boolean" | "Boolean!" => format!("Boolean cannot represent a non boolean value: {value}"),
            "Float" | "Float!" => format!("Float cannot represent non numeric value: {value}"),
            "ID" | "ID!" => format!("ID cannot represent a non-string and non-integer value: {value}"),
            name if definition.kind == kind::ENUM => {
                format!("Enum \"{name}\" cannot represent non-enum value: {value}.")
            }
            name => format!("Expected value of type \"{name}\", found {value}."),
        };
        self.complain(value.at, message)
    }

    fn input_object(&mut self, value: &'a Literal, definition: &'a Definition) -> Result<(), Fault> {
        let fields = &definition.fields;
        let own = &definition.name;
        self.budget.spend(fields.len().saturating_mul(value.children.len()).saturating_mul(2))?;
        for FieldDefinition { name, r#type, default_value, .. } in fields {
            if r#type.non_null && default_value.is_none() && value.child(name).is_none() {
                let message = format!("Field \"{own}.{name}\" of required type \"{type}\" was not provided.");
                self.complain(value.at, message)?;
            }
        }
        for _ in definition.directives.iter().filter(|directive| directive.name == "oneOf") {
            match &value.children[..] {
                [Child { value: only, .. }] if only.kind == LiteralKind::Null => {
                    let first = fields.first().map_or("", |field| &field.name);
                    self.complain(only.at, format!("Field \"{own}.{first}\" must be non-null."))?;
                }
                [_] => {}
                _ => {
                    let message = format!("OneOf Input Object \"{own}\" must specify exactly one key.");
                    self.complain(value.at, message)?;
                }
            }
        }
        for Child { name, at, .. } in &value.children {
            if definition.field(name).is_none() {
                let names = fields.iter().map(|field| &*field.name);
                let meant = did_you_mean("", &similar(name, names, self.budget)?);
                self.complain(*at, format!("Field \"{name}\" is not defined by type \"{own}\".{meant}"))?;
            }
        }
        Ok(())
    }

    fn variable_in_allowed_position(&mut self, value: &'a Literal, expected: Expected<'a>) -> Result<(), Fault> {
        let (LiteralKind::Variable, Some(found), Some(_)) = (value.kind, expected.r#type, self.operation) else {
            return Ok(());
        };
        let Some(variable) = self.bound(value) else { return Ok(()) };
        let has_default = variable.default_value.as_ref().is_some_and(|default| default.kind != LiteralKind::Null);
        if variable.r#type.fits_if(found, found.non_null && !has_default && !expected.has_default) {
            return Ok(());
        }
        let actual = &variable.r#type;
        let message = format!("Variable \"{value}\" of type \"{actual}\" used in position expecting type \"{found}\".");
        self.complain(value.at, message)
    }

    fn variables_in_one_of(&mut self, value: &'a Literal, expected: Expected<'a>) -> Result<(), Fault> {
        let one_of = |definition: &&Definition| definition.directives.iter().any(|directive| directive.name == "oneOf");
        let (LiteralKind::Object, Some(definition)) = (value.kind, expected.definition.filter(one_of)) else {
            return Ok(());
        };
        let variables = value.children.iter().filter(|child| child.value.kind == LiteralKind::Variable);
        for Child { value, .. } in variables {
            let Some(variable) = self.bound(value).filter(|variable| !variable.r#type.non_null) else { continue };
            let (actual, own) = (&variable.r#type, &definition.name);
            let message = format!(
                "Variable \"{value}\" is of type \"{actual}\" but must be non-nullable to be used for OneOf Input Object \"{own}\"."
            );
            self.complain(variable.at, message)?;
        }
        Ok(())
    }
}

/// Whether the text is an integer, but none of 32 bits.
fn is_large(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i32>().is_err()
}
