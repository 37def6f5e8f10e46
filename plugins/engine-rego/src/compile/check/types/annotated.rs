//! The schemas that annotations name for rules.

use std::collections::{BTreeMap, HashMap};

use regent_core::Value;
use regent_core::engine::{ErrorCode, PolicyError, Schemas};

use super::body::Checker;
use super::env::Node;
use super::schema;
use super::ty::Ty;
use crate::compile::Options;
use crate::syntax::ast::{Rule, Span};
use regent_builtins::remote::Network;

/// What annotations say of the root documents while one rule is checked.
#[derive(Debug, Default)]
pub(super) struct Roots {
    pub(super) input: Option<Ty>,
    pub(super) data: Option<Ty>,
}

/// Finds the types of schemas, each once.
pub(super) struct SchemaLoader<'a> {
    schemas: Option<&'a Schemas>,
    network: &'a Network,
    known: HashMap<Value, Ty>,
}

impl<'a> SchemaLoader<'a> {
    /// A loader of the schemas that there are.
    pub(super) fn new(options: &'a Options) -> Self {
        Self { schemas: options.schemas.as_deref(), network: &options.network, known: HashMap::new() }
    }

    /// The type that an annotation gives; nothing if it names a schema and no schemas were given at all.
    fn type_of(&mut self, annotation: &Value, rule: &Span) -> Result<Option<Ty>, PolicyError> {
        let fail = |message: String| PolicyError::new(ErrorCode::Type, message, rule.location());
        let load = |schema: &Value| schema::load(schema, self.network).map_err(fail);
        if let Some(definition) = annotation.get("definition") {
            return load(definition).map(Some);
        }
        let Some(reference) = annotation.get("schema") else { return Ok(None) };
        let Some(given) = self.schemas.and_then(|schemas| schemas.by_path.as_ref()) else { return Ok(None) };
        if let Some(known) = self.known.get(reference) {
            return Ok(Some(known.clone()));
        }
        let parts = reference.as_array().unwrap_or_default();
        let path: Vec<_> = parts.iter().skip(1).filter_map(|part| part.as_str().map(Into::into)).collect();
        let Some(schema) = given.get(&path) else {
            return Err(fail(format!("undefined schema: {}", shown(parts))));
        };
        let ty = load(schema)?;
        self.known.insert(reference.clone(), ty.clone());
        Ok(Some(ty))
    }
}

/// A reference in Rego.
fn shown(parts: &[Value]) -> String {
    let mut terms = parts.iter().filter_map(Value::as_str);
    let head = terms.next().map(|name| crate::syntax::ast::Term::var(name, Span::default()));
    let keys = terms.map(|key| crate::syntax::ast::Term::scalar(key, Span::default()));
    crate::compile::check::text::reference(&head.into_iter().chain(keys).collect::<Vec<_>>())
}

impl Checker<'_> {
    /// Takes over what annotations say for a rule, one after another; gives what is wrong with them.
    pub(super) fn annotate<'v>(
        &mut self,
        rule: &Rule,
        annotations: impl Iterator<Item = &'v Value>,
        loader: &mut SchemaLoader<'_>,
    ) -> Vec<PolicyError> {
        let mut errors = Vec::new();
        for annotation in annotations {
            match loader.type_of(annotation, &rule.span) {
                Ok(Some(ty)) => self.set_root(annotation, ty),
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
        errors
    }

    fn set_root(&mut self, annotation: &Value, ty: Ty) {
        let path = annotation.get("path").and_then(Value::as_array).unwrap_or_default();
        let Some((root, keys)) = path.split_first() else { return };
        match root.as_str() {
            Some("input") => self.roots.input = Some(overridden(&self.type_of_input(), keys, ty)),
            Some("data") => {
                let known = self.roots.data.clone().or_else(|| self.env.data().map(Node::extent));
                self.roots.data = Some(overridden(&known.unwrap_or_else(Ty::any), keys, ty));
            }
            _ => {}
        }
    }
}

/// The type with another one at the end of the keys. What is no object on the way there becomes one.
fn overridden(ty: &Ty, keys: &[Value], new: Ty) -> Ty {
    let Some((key, deeper)) = keys.split_first() else { return new };
    let Ty::Object(object) = ty else {
        return nested(keys, new, Some(&(Ty::any(), Ty::any())));
    };
    let mut fields = object.fields.clone();
    let value = match fields.get(key) {
        Some(known) => overridden(known, deeper, new),
        None => nested(deeper, new, object.rest.as_ref()),
    };
    fields.insert(key.clone(), value);
    Ty::object(fields, object.rest.clone())
}

/// Objects within objects under the keys, which may have further entries of the types of `rest`.
fn nested(keys: &[Value], new: Ty, rest: Option<&(Ty, Ty)>) -> Ty {
    keys.iter().rev().fold(new, |inner, key| Ty::object(BTreeMap::from([(key.clone(), inner)]), rest.cloned()))
}
