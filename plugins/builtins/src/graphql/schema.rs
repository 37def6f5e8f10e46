//! Schemas: documents of types, checked and made ready to check queries with.

mod check;

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use regent_core::engine::Cancel;

use super::budget::Budget;
use super::parser;
use super::problem::{Fault, Position};
use super::tree::{
    ArgumentDefinition, Definition, DirectiveDefinition, FieldDefinition, OperationType, SchemaDefinition,
    SchemaDocument, Type, kind,
};

/// What every schema has.
static PRELUDE: LazyLock<SchemaDocument> = LazyLock::new(|| {
    let cancel = Cancel::default();
    let prelude = parser::schema(include_str!("prelude.graphql"), &mut Budget::new(&cancel));
    let mut prelude = prelude.expect("every test of a schema reads it");
    prelude.definitions.iter_mut().for_each(|definition| definition.built_in = true);
    prelude
});

/// Directives that a schema may define again, as one may that is written for an older library.
const STANDARD: [&str; 6] = ["include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"];

/// A checked schema.
#[derive(Default)]
pub(super) struct Schema {
    /// Its types by name, with what extends them.
    pub(super) types: BTreeMap<String, Definition>,
    /// Its directives by name.
    pub(super) directives: BTreeMap<String, DirectiveDefinition>,
    /// By the name of each type the names of those that its values can be of.
    possible: HashMap<String, Vec<String>>,
    query: Option<String>,
    mutation: Option<String>,
    subscription: Option<String>,
    /// The field that can be asked for everywhere.
    typename: FieldDefinition,
}

impl Schema {
    /// Checks a document and what it needs of the standard types.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn new(document: SchemaDocument, budget: &mut Budget<'_>) -> Result<Self, Fault> {
        let typename =
            FieldDefinition { name: "__typename".into(), r#type: Type::named("String", false), ..Default::default() };
        let mut schema = Self { typename, ..Self::default() };
        let prelude = PRELUDE.clone();
        let mut order = schema.define(prelude.definitions.into_iter().chain(document.definitions))?;
        order.extend(schema.extend(document.extensions)?);
        schema.relate(&order);
        schema.define_directives(prelude.directives.into_iter().chain(document.directives))?;
        if let [_, second, ..] = &document.schema[..] {
            let message = "Cannot have multiple schema entry points, consider schema extensions instead.";
            return Err(complain(second.at, message));
        }
        for definition in document.schema.iter().chain(&document.schema_extension) {
            schema.enter(definition, budget)?;
        }
        check::all(&schema, budget)?;
        schema.infer_roots(!document.schema.is_empty());
        Ok(schema)
    }

    /// The type of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Definition> {
        self.types.get(name)
    }

    /// The type that an operation starts from; that of a query if the operation says nothing.
    pub(super) fn root(&self, operation: &str) -> Option<&Definition> {
        let name = match operation {
            "query" | "" => &self.query,
            "mutation" => &self.mutation,
            "subscription" => &self.subscription,
            _ => &None,
        };
        self.get(name.as_deref()?)
    }

    /// The types that values of the type can be of.
    pub(super) fn possible(&self, name: &str) -> impl Iterator<Item = &Definition> {
        self.possible.get(name).into_iter().flatten().filter_map(|name| self.get(name))
    }

    /// The field `__typename`.
    pub(super) fn typename(&self) -> &FieldDefinition {
        &self.typename
    }

    /// Takes in types and gives their names.
    fn define(&mut self, definitions: impl Iterator<Item = Definition>) -> Result<Vec<String>, Fault> {
        let mut order = Vec::new();
        for definition in definitions {
            let name = definition.name.clone();
            if self.types.contains_key(&name) {
                return Err(complain(definition.at, format!("Cannot redeclare type {name}.")));
            }
            order.push(name.clone());
            self.types.insert(name, definition);
        }
        Ok(order)
    }

    /// Takes in what extends types and gives the names of those that were not there before.
    fn extend(&mut self, extensions: Vec<Definition>) -> Result<Vec<String>, Fault> {
        let mut order = Vec::new();
        for extension in extensions {
            let Definition { kind, name, at, .. } = &extension;
            let base = self.types.entry(name.clone()).or_insert_with(|| {
                order.push(name.clone());
                Definition { kind: kind.clone(), name: name.clone(), at: *at, ..Definition::default() }
            });
            if base.kind != *kind {
                let base = &base.kind;
                let message = format!("Cannot extend type {name} because the base type is a {base}, not {kind}.");
                return Err(complain(*at, message));
            }
            base.directives.extend(extension.directives);
            base.interfaces.extend(extension.interfaces);
            base.fields.extend(extension.fields);
            base.types.extend(extension.types);
            base.type_positions.extend(extension.type_positions);
            base.enum_values.extend(extension.enum_values);
        }
        Ok(order)
    }

    /// Notes which types stand for which.
    fn relate(&mut self, order: &[String]) {
        for definition in order.iter().filter_map(|name| self.types.get(name)) {
            let mut add = |name: &str, possible: &str| {
                self.possible.entry(name.to_owned()).or_default().push(possible.to_owned());
            };
            match definition.kind.as_str() {
                kind::UNION => definition.types.iter().for_each(|member| add(&definition.name, member)),
                kind::INPUT_OBJECT | kind::OBJECT | kind::INTERFACE => {
                    definition.interfaces.iter().for_each(|interface| add(interface, &definition.name));
                    if definition.kind != kind::INTERFACE {
                        add(&definition.name, &definition.name);
                    }
                }
                _ => {}
            }
        }
    }

    fn define_directives(&mut self, directives: impl Iterator<Item = DirectiveDefinition>) -> Result<(), Fault> {
        for directive in directives {
            if self.directives.contains_key(&directive.name) && !STANDARD.contains(&&*directive.name) {
                return Err(complain(directive.at, format!("Cannot redeclare directive {}.", directive.name)));
            }
            self.directives.insert(directive.name.clone(), directive);
        }
        Ok(())
    }

    /// Takes in where operations start.
    fn enter(&mut self, definition: &SchemaDefinition, budget: &mut Budget<'_>) -> Result<(), Fault> {
        for OperationType { operation, r#type, at, .. } in &definition.operation_types {
            if !self.types.contains_key(r#type) {
                let message = format!("Schema root {operation} refers to a type {type} that does not exist.");
                return Err(complain(*at, message));
            }
            let root = match operation.as_str() {
                "query" => &mut self.query,
                "mutation" => &mut self.mutation,
                "subscription" => &mut self.subscription,
                _ => continue,
            };
            *root = Some(r#type.clone());
        }
        check::directives(self, &definition.directives, "SCHEMA", None, true, budget)
    }

    /// Without a `schema`, operations start from the types that are named as they are. A query can ask for the schema.
    fn infer_roots(&mut self, defined: bool) {
        if !defined {
            let known = |name: &str| self.types.contains_key(name).then(|| name.to_owned());
            let roots = (known("Query"), known("Mutation"), known("Subscription"));
            self.query = self.query.take().or(roots.0);
            self.mutation = self.mutation.take().or(roots.1);
            self.subscription = self.subscription.take().or(roots.2);
        }
        let Some(query) = self.query.as_ref().and_then(|name| self.types.get_mut(name)) else { return };
        let name =
            ArgumentDefinition { name: "name".into(), r#type: Type::named("String", true), ..Default::default() };
        query.fields.extend([
            FieldDefinition { name: "__schema".into(), r#type: Type::named("__Schema", true), ..Default::default() },
            FieldDefinition {
                name: "__type".into(),
                r#type: Type::named("__Type", false),
                arguments: vec![name],
                ..Default::default()
            },
        ]);
    }
}

/// A complaint about a schema.
fn complain(at: Option<Position>, message: impl Into<String>) -> Fault {
    Fault::at(at.unwrap_or(Position::UNKNOWN), message)
}

#[cfg(test)]
mod tests;
