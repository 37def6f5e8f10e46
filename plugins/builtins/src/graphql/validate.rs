//! Checks queries against schemas. Which rules there are, in which order they look at what, and what they say is OPA's
//! library's.

mod arguments;
mod fragments;
mod operations;
mod overlap;
mod values;

use std::collections::{HashMap, HashSet};

use super::budget::Budget;
use super::problem::{Fault, Position, Problem};
use super::schema::Schema;
use super::tree::{
    Argument, ArgumentDefinition, Definition, Directive, DirectiveDefinition, Field, FieldDefinition, Fragment,
    Literal, LiteralKind, Operation, QueryDocument, Selection, Type, Variable,
};

/// How long complaints may be together, in bytes. Past this no more are looked for.
const MOST_COMPLAINTS: usize = 1 << 18;

/// All that is wrong with a query.
///
/// # Errors
/// When it is too much work, or nobody waits for it.
pub(super) fn validate(
    schema: &Schema,
    document: &QueryDocument,
    budget: &mut Budget<'_>,
) -> Result<Vec<Problem>, Fault> {
    let mut validator = Validator::new(schema, document, budget);
    match validator.document() {
        Ok(()) | Err(Fault::Enough) => Ok(validator.problems),
        Err(fault) => Err(fault),
    }
}

/// Goes through a query and lets the rules look at each node after its parts.
struct Validator<'a, 'b, 'c> {
    schema: &'a Schema,
    document: &'a QueryDocument,
    budget: &'c mut Budget<'b>,
    problems: Vec<Problem>,
    length: usize,
    /// The first fragment of each name.
    fragments: HashMap<&'a str, &'a Fragment>,
    /// The operation that it is in, if it is in one.
    operation: Option<&'a Operation>,
    /// The fragments that it has gone through, within the operation or fragment that it is in.
    entered: HashSet<&'a str>,
    /// What is known of fields that were met.
    fields: HashMap<*const Field, FieldFacts<'a>>,
    /// What the variables that were met last stood for.
    variables: HashMap<*const Literal, Option<&'a Variable>>,
    /// The variables that were met.
    used: HashSet<*const Variable>,
    /// What single rules remember.
    seen: Seen<'a>,
    overlap: overlap::Compared<'a>,
}

/// What rules remember of what they saw.
#[derive(Default)]
struct Seen<'a> {
    misplaced: HashSet<(&'a str, Option<Position>)>,
    spread: HashSet<&'a str>,
    in_fragments: bool,
    cyclic: HashSet<&'a str>,
    fragments: HashSet<&'a str>,
    operations: HashSet<&'a str>,
}

/// What the schema says of a field that is selected.
#[derive(Clone, Copy)]
struct FieldFacts<'a> {
    /// The type that it is selected of.
    parent: Option<&'a Definition>,
    /// Itself.
    definition: Option<&'a FieldDefinition>,
}

/// What is known of a value.
#[derive(Clone, Copy, Default)]
struct Expected<'a> {
    r#type: Option<&'a Type>,
    definition: Option<&'a Definition>,
    has_default: bool,
}

impl<'a, 'b, 'c> Validator<'a, 'b, 'c> {
    fn new(schema: &'a Schema, document: &'a QueryDocument, budget: &'c mut Budget<'b>) -> Self {
        let mut fragments = HashMap::new();
        for fragment in &document.fragments {
            fragments.entry(&*fragment.name).or_insert(fragment);
        }
        Self {
            schema,
            document,
            budget,
            problems: Vec::new(),
            length: 0,
            fragments,
            operation: None,
            entered: HashSet::new(),
            fields: HashMap::new(),
            variables: HashMap::new(),
            used: HashSet::new(),
            seen: Seen::default(),
            overlap: overlap::Compared::default(),
        }
    }

    fn complain(&mut self, at: Option<Position>, message: impl Into<String>) -> Result<(), Fault> {
        let message = message.into();
        self.length += message.len();
        self.problems.push(Problem { message, at });
        if self.length > MOST_COMPLAINTS { Err(Fault::Enough) } else { self.budget.spend(0) }
    }

    fn document(&mut self) -> Result<(), Fault> {
        let document = self.document;
        for operation in &document.operations {
            self.entered.clear();
            self.operation = Some(operation);
            self.operation(operation)?;
            self.operation = None;
        }
        for fragment in &document.fragments {
            self.entered.clear();
            let definition = self.schema.get(&fragment.type_condition);
            self.directives(&fragment.directives, "FRAGMENT_DEFINITION")?;
            self.selections(definition, &fragment.selection_set)?;
            self.on_fragment(fragment)?;
        }
        Ok(())
    }

    fn operation(&mut self, operation: &'a Operation) -> Result<(), Fault> {
        for variable in &operation.variable_definitions {
            self.known_variable_type(variable)?;
        }
        for variable in &operation.variable_definitions {
            if let Some(value) = &variable.default_value {
                let definition = self.schema.get(variable.r#type.name());
                self.value(value, Expected { r#type: Some(&variable.r#type), definition, has_default: false })?;
            }
            self.directives(&variable.directives, "VARIABLE_DEFINITION")?;
        }
        let location = match operation.operation.as_str() {
            "mutation" => "MUTATION",
            "subscription" => "SUBSCRIPTION",
            _ => "QUERY",
        };
        self.directives(&operation.directives, location)?;
        self.selections(self.schema.root(&operation.operation), &operation.selection_set)?;
        self.on_operation(operation)
    }

    fn directives(&mut self, directives: &'a [Directive], location: &'static str) -> Result<(), Fault> {
        for directive in directives {
            let definition = self.schema.directives.get(&directive.name);
            self.arguments(definition.map(|definition| &definition.arguments[..]), &directive.arguments)?;
            self.on_directive(directive, definition, location)?;
        }
        self.on_directives(directives)
    }

    fn arguments(
        &mut self,
        definitions: Option<&'a [ArgumentDefinition]>,
        arguments: &'a [Argument],
    ) -> Result<(), Fault> {
        for argument in arguments {
            let definitions = definitions.unwrap_or_default();
            self.budget.spend(definitions.len())?;
            let definition = definitions.iter().find(|definition| definition.name == argument.name);
            let expected =
                definition.map(|definition| self.expected(&definition.r#type, definition.default_value.as_ref()));
            self.value(&argument.value, expected.unwrap_or_default())?;
        }
        Ok(())
    }

    fn expected(&self, found: &'a Type, default: Option<&Literal>) -> Expected<'a> {
        let has_default = default.is_some_and(|default| default.kind != LiteralKind::Null);
        Expected { r#type: Some(found), definition: self.schema.get(found.name()), has_default }
    }

    fn value(&mut self, value: &'a Literal, expected: Expected<'a>) -> Result<(), Fault> {
        self.budget.enter()?;
        match value.kind {
            LiteralKind::Variable => self.bind(value)?,
            LiteralKind::Object => {
                for child in &value.children {
                    let fields = expected.definition.map_or(&[][..], |definition| &definition.fields);
                    self.budget.spend(fields.len())?;
                    let field = fields.iter().find(|field| field.name == child.name);
                    let expected = field.map(|field| self.expected(&field.r#type, field.default_value.as_ref()));
                    self.value(&child.value, expected.unwrap_or_default())?;
                }
            }
            LiteralKind::List => {
                let elem = expected.r#type.and_then(|found| found.elem.as_deref());
                let definition = expected.definition.filter(|_| elem.is_some());
                for child in &value.children {
                    self.value(&child.value, Expected { r#type: elem, definition, has_default: false })?;
                }
            }
            _ => {}
        }
        self.budget.leave();
        self.on_value(value, expected)
    }

    /// Finds what a variable stands for. Outside of operations it stands for what it stood for last.
    fn bind(&mut self, value: &'a Literal) -> Result<(), Fault> {
        let Some(operation) = self.operation else { return Ok(()) };
        self.budget.spend(operation.variable_definitions.len())?;
        let variable = operation.variable_definitions.iter().find(|variable| variable.variable == value.raw);
        self.used.extend(variable.map(std::ptr::from_ref));
        self.variables.insert(value, variable);
        Ok(())
    }

    /// What a variable stands for.
    fn bound(&self, value: &'a Literal) -> Option<&'a Variable> {
        self.variables.get(&std::ptr::from_ref(value)).copied().flatten()
    }

    fn selections(&mut self, parent: Option<&'a Definition>, selections: &'a [Selection]) -> Result<(), Fault> {
        self.budget.enter()?;
        for selection in selections {
            self.budget.spend(0)?;
            match selection {
                Selection::Field(field) => self.field(parent, field)?,
                Selection::Inline(inline) => {
                    let condition = &inline.type_condition;
                    let inner = if condition.is_empty() { parent } else { self.schema.get(condition) };
                    self.directives(&inline.directives, "INLINE_FRAGMENT")?;
                    self.selections(inner, &inline.selection_set)?;
                    self.on_inline(inline, parent)?;
                }
                Selection::Spread(spread) => {
                    let fragment = self.fragments.get(&*spread.name).copied();
                    self.directives(&spread.directives, "FRAGMENT_SPREAD")?;
                    if let Some(fragment) = fragment.filter(|fragment| self.entered.insert(&fragment.name)) {
                        self.directives(&fragment.directives, "FRAGMENT_DEFINITION")?;
                        let inner = self.schema.get(&fragment.type_condition);
                        self.selections(inner, &fragment.selection_set)?;
                    }
                    self.on_spread(spread, fragment, parent)?;
                }
            }
        }
        self.budget.leave();
        Ok(())
    }

    fn field(&mut self, parent: Option<&'a Definition>, field: &'a Field) -> Result<(), Fault> {
        self.budget.spend(parent.map_or(0, |parent| parent.fields.len()))?;
        let definition = if field.name == "__typename" {
            Some(self.schema.typename())
        } else {
            parent.and_then(|parent| parent.field(&field.name))
        };
        let facts = FieldFacts { parent, definition };
        self.fields.insert(field, facts);
        self.arguments(definition.map(|definition| &definition.arguments[..]), &field.arguments)?;
        self.directives(&field.directives, "FIELD")?;
        let inner = definition.and_then(|definition| self.schema.get(definition.r#type.name()));
        self.selections(inner, &field.selection_set)?;
        self.on_field(field, facts)
    }

    fn on_field(&mut self, field: &'a Field, facts: FieldFacts<'a>) -> Result<(), Fault> {
        self.fields_on_correct_type(field, facts)?;
        self.known_field_arguments(field, facts)?;
        self.introspection_depth(field)?;
        if self.operation.is_some() {
            self.overlapping_fields(&field.selection_set)?;
        }
        if let Some(definition) = facts.definition {
            let who = format!("Field \"{}\"", field.name);
            self.required_arguments(&who, field.at, &definition.arguments, &field.arguments)?;
        }
        self.scalar_leafs(field, facts)?;
        self.unique_arguments(&field.arguments)
    }

    fn on_directive(
        &mut self,
        directive: &'a Directive,
        definition: Option<&'a DirectiveDefinition>,
        location: &'static str,
    ) -> Result<(), Fault> {
        if let Some(definition) = definition {
            let of = format!("directive \"@{}\"", directive.name);
            self.known_arguments(&of, directive.at, &definition.arguments, &directive.arguments)?;
        }
        self.known_directive(directive, definition, location)?;
        if let Some(definition) = definition {
            let who = format!("Directive \"@{}\"", definition.name);
            self.required_arguments(&who, directive.at, &definition.arguments, &directive.arguments)?;
        }
        self.unique_arguments(&directive.arguments)
    }
}

#[cfg(test)]
mod tests;
