//! From JSON schemas to types, as far as OPA goes: what the schema says of types, properties, items and of schemas that
//! it is put together from. Bounds, patterns, lists of values and `oneOf` say nothing of the type.

mod pool;
mod read;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use regent_core::Value;

use self::read::Library;
use super::ty::Ty;
use crate::compile::check::vars::deeper;
use regent_builtins::remote::Network;

/// How often a schema that refers to itself is unfolded; below that, anything goes.
const UNFOLDED: usize = 2;
/// Schemas that are looked at for one type, lest schemas that refer to each other make too much work.
const MAX_STEPS: usize = 100_000;

/// One schema, or part of one.
#[derive(Debug, Clone, Default)]
struct Schema {
    /// Another schema that stands for it.
    reference: Option<Arc<str>>,
    types: Vec<Arc<str>>,
    properties: Vec<(Arc<str>, Schema)>,
    items: Vec<Schema>,
    /// Whether all items are of one schema.
    is_list: bool,
    any_of: Option<Vec<Schema>>,
    all_of: Option<Vec<Schema>>,
}

/// The type of what fits a schema, with those that it refers to on other hosts.
///
/// # Errors
/// What is wrong with the schema, in OPA's words.
pub(super) fn load(schema: &Value, network: &Network) -> Result<Ty, String> {
    let failed = |problem| format!("unable to compile the schema: {problem}");
    let (root, library) = Library::read(schema, network).map_err(failed)?;
    let mut types = Types { library: &library, known: HashMap::new(), open: Vec::new(), is_cut: false, steps: 0 };
    types.of(&root).map_err(|problem| format!("type checking: {problem}"))
}

impl Schema {
    fn has_type(&self, name: &str) -> bool {
        self.types.iter().any(|known| **known == *name)
    }

    /// Adds the type that properties or items imply.
    fn imply_type(&mut self) {
        let implied = match (self.properties.is_empty(), self.items.is_empty()) {
            (false, _) => "object",
            (true, false) => "array",
            (true, true) => return,
        };
        if !self.has_type(implied) {
            self.types.push(implied.into());
        }
    }

    /// The names of its types, as errors show them.
    fn types_text(&self) -> String {
        match &self.types[..] {
            [] => "undefined".to_owned(),
            [one] => one.to_string(),
            several => format!("[{}]", several.join(",")),
        }
    }
}

/// The schema that says what all of several say.
fn merged(schemas: &[Schema]) -> Result<Schema, String> {
    let mut schemas = schemas.iter().cloned().map(|mut schema| {
        schema.imply_type();
        schema
    });
    let mut all = schemas.next().unwrap_or_default();
    for schema in schemas {
        let (have, want) = (all.types_text(), schema.types_text());
        if have != want {
            return Err(format!("unable to merge these schemas: type mismatch: {have} and {want}"));
        }
        if all.has_type("object") && !all.properties.is_empty() {
            all.properties.extend(schema.properties);
        } else if all.has_type("array") && !all.items.is_empty() {
            for (place, item) in schema.items.into_iter().enumerate() {
                match all.items.get(place) {
                    Some(known) if known.types_text() != item.types_text() => {
                        return Err("unable to merge these schemas".to_owned());
                    }
                    Some(_) => {}
                    None => all.items.push(item),
                }
            }
        }
    }
    Ok(all)
}

/// Makes types of schemas.
struct Types<'a> {
    library: &'a Library,
    /// Types of schemas that are referred to.
    known: HashMap<Arc<str>, Ty>,
    /// References that are being followed.
    open: Vec<Arc<str>>,
    /// Whether a reference was not followed, so that what contains it may be more elsewhere.
    is_cut: bool,
    steps: usize,
}

impl Types<'_> {
    fn of(&mut self, schema: &Schema) -> Result<Ty, String> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Ok(Ty::any());
        }
        if let Some(reference) = &schema.reference {
            return self.of_reference(reference);
        }
        deeper(|| match (&schema.any_of, &schema.all_of) {
            (Some(parts), _) => self.of_any(schema, parts),
            (None, Some(parts)) => self.of_all(schema, parts),
            (None, None) => self.of_plain(schema),
        })
    }

    fn of_reference(&mut self, reference: &Arc<str>) -> Result<Ty, String> {
        if let Some(known) = self.known.get(reference) {
            return Ok(known.clone());
        }
        let library = self.library;
        let Some(schema) = library.get(reference) else { return Ok(Ty::any()) };
        if self.open.iter().filter(|open| *open == reference).count() > UNFOLDED {
            self.is_cut = true;
            return Ok(Ty::any());
        }
        self.open.push(Arc::clone(reference));
        let outside = std::mem::replace(&mut self.is_cut, false);
        let ty = self.of(schema)?;
        self.open.pop();
        if !self.is_cut || !self.open.contains(reference) {
            self.known.insert(Arc::clone(reference), ty.clone());
        }
        self.is_cut |= outside;
        Ok(ty)
    }

    fn of_any(&mut self, schema: &Schema, parts: &[Schema]) -> Result<Ty, String> {
        let mut all = Ty::Unknown;
        if !schema.types.is_empty() {
            let core = self.of(&Schema { any_of: None, ..schema.clone() })?;
            // Only an object with known properties says more than its parts.
            if matches!(&core, Ty::Object(object) if object.rest.is_none() && !object.fields.is_empty()) {
                all = core;
            }
        }
        for part in parts {
            all = self.of(part)?.or(all);
        }
        Ok(all)
    }

    fn of_all(&mut self, schema: &Schema, parts: &[Schema]) -> Result<Ty, String> {
        let all = merged(parts)?;
        if schema.types.is_empty() {
            return self.of(&all);
        }
        if ["object", "array"].iter().any(|name| schema.has_type(name) && all.has_type(name)) {
            let core = Schema { any_of: None, all_of: None, ..schema.clone() };
            return self.of(&merged(&[all, core])?);
        }
        if schema.types_text() != all.types_text() {
            return Err("unable to merge these schemas".to_owned());
        }
        self.of(&all)
    }

    fn of_plain(&mut self, schema: &Schema) -> Result<Ty, String> {
        let is = |name| schema.has_type(name);
        let implied = |known: bool| known || schema.types.iter().all(|name| **name == *"null");
        if is("boolean") {
            Ok(Ty::Boolean)
        } else if is("string") {
            Ok(Ty::String)
        } else if is("integer") || is("number") {
            Ok(Ty::Number)
        } else if is("object") || (implied(false) && !is("array") && !schema.properties.is_empty()) {
            self.of_object(schema)
        } else if is("array") || (implied(false) && !schema.items.is_empty()) {
            self.of_array(schema)
        } else {
            Ok(Ty::any())
        }
    }

    fn of_object(&mut self, schema: &Schema) -> Result<Ty, String> {
        if schema.properties.is_empty() {
            return Ok(Ty::object(BTreeMap::new(), Some((Ty::any(), Ty::any()))));
        }
        let mut fields = BTreeMap::new();
        for (name, property) in &schema.properties {
            fields.insert(Value::from(Arc::clone(name)), self.of(property)?);
        }
        Ok(Ty::object(fields, None))
    }

    fn of_array(&mut self, schema: &Schema) -> Result<Ty, String> {
        match &schema.items[..] {
            [] => Ok(Ty::array(Vec::new(), Ty::any())),
            [all, ..] if schema.is_list => Ok(Ty::array(Vec::new(), self.of(all)?)),
            items => {
                let items = items.iter().map(|item| self.of(item)).collect::<Result<_, _>>()?;
                Ok(Ty::array(items, Ty::Unknown))
            }
        }
    }
}
