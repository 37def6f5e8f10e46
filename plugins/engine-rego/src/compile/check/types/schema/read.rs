//! Reads JSON schemas: their parts, and the schemas that they refer to.

use std::collections::HashMap;
use std::sync::Arc;

use regent_core::Value;

use super::Schema;
use super::pool::Pool;
use crate::compile::check::vars::deeper;
use regent_builtins::remote::Network;

/// The types that there are.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "number", "null", "object", "string"];

/// The schemas that a schema refers to, by their references.
#[derive(Debug, Default)]
pub(super) struct Library(HashMap<Arc<str>, Schema>);

impl Library {
    /// Reads a schema with all that it refers to.
    ///
    /// # Errors
    /// What is wrong with it, in the words of OPA's reader of schemas.
    pub(super) fn read(root: &Value, network: &Network) -> Result<(Schema, Self), String> {
        let mut pool = Pool::new(network);
        let root = pool.add("", root)?;
        let mut reader = Reader { pool, library: HashMap::new() };
        let schema = reader.schema(&root)?;
        Ok((schema, Self(reader.library)))
    }

    /// The schema that a reference leads to.
    pub(super) fn get(&self, reference: &str) -> Option<&Schema> {
        self.0.get(reference)
    }
}

struct Reader {
    pool: Pool,
    library: HashMap<Arc<str>, Schema>,
}

fn wrong_type(expected: &str, given: &str) -> String {
    format!("Invalid type. Expected: {expected}, given: {given}")
}

/// Whether something may be a schema.
fn is_schema(json: &Value) -> bool {
    json.is_object() || json.as_bool().is_some()
}

impl Reader {
    fn schema(&mut self, json: &Value) -> Result<Schema, String> {
        if json.as_bool().is_some() {
            return Ok(Schema::default());
        }
        if !json.is_object() {
            return Err("Expected: schema, given: Invalid JSON".to_owned());
        }
        deeper(|| self.object(json))
    }

    fn object(&mut self, json: &Value) -> Result<Schema, String> {
        for key in ["$id", "title", "description", "$ref", "pattern", "format"] {
            if json.get(key).is_some_and(|text| text.as_str().is_none()) {
                return Err(wrong_type("string", key));
            }
        }
        self.all_in(json, "definitions", || wrong_type("array of schemas", "definitions"))?;
        if let Some(reference) = json.get("$ref").and_then(Value::as_str) {
            return self.reference(reference);
        }
        let mut schema = Schema { types: types(json)?, ..Schema::default() };
        if let Some(properties) = json.get("properties") {
            let properties = properties.as_object().ok_or("properties must be of type object")?;
            for (name, property) in properties {
                schema.properties.push((name.as_str().unwrap_or_default().into(), self.schema(property)?));
            }
        }
        self.checked(json)?;
        if let Some(items) = json.get("items") {
            let wrong = || wrong_type("schema/array of schemas", "items");
            schema.is_list = is_schema(items);
            let items =
                if schema.is_list { std::slice::from_ref(items) } else { items.as_array().ok_or_else(wrong)? };
            for item in items {
                schema.items.push(if is_schema(item) { self.schema(item)? } else { return Err(wrong()) });
            }
        }
        self.list(json, "oneOf")?;
        schema.any_of = self.list(json, "anyOf")?;
        schema.all_of = self.list(json, "allOf")?;
        Ok(schema)
    }

    /// Reads parts that say nothing of the type, but must be schemas all the same.
    fn checked(&mut self, json: &Value) -> Result<(), String> {
        for key in ["additionalProperties", "additionalItems"] {
            if let Some(part) = json.get(key) {
                if !is_schema(part) {
                    return Err(wrong_type("boolean/schema", key));
                }
                self.schema(part)?;
            }
        }
        self.all_in(json, "patternProperties", || wrong_type("schema", "patternProperties"))?;
        for key in ["not", "contains", "propertyNames", "if", "then", "else"] {
            if let Some(part) = json.get(key) {
                if !is_schema(part) {
                    return Err(format!("{key} must be of an object"));
                }
                self.schema(part)?;
            }
        }
        for key in ["required", "enum"] {
            if json.get(key).is_some_and(|list| !list.is_array()) {
                return Err(format!("{key} must be of an array"));
            }
        }
        Ok(())
    }

    /// Reads the schemas under the keys of an object.
    fn all_in(&mut self, json: &Value, key: &str, wrong: impl Fn() -> String) -> Result<(), String> {
        let Some(parts) = json.get(key) else { return Ok(()) };
        for part in parts.as_object().ok_or_else(&wrong)?.values() {
            if !is_schema(part) {
                return Err(wrong());
            }
            self.schema(part)?;
        }
        Ok(())
    }

    fn list(&mut self, json: &Value, key: &str) -> Result<Option<Vec<Schema>>, String> {
        let Some(parts) = json.get(key) else { return Ok(None) };
        let parts = parts.as_array().ok_or_else(|| format!("{key} must be of an array"))?;
        let schemas = parts.iter().map(|part| self.schema(part)).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(schemas).filter(|schemas| !schemas.is_empty()))
    }

    /// Reads what an absolute reference leads to, unless that was done before.
    fn reference(&mut self, reference: &str) -> Result<Schema, String> {
        let name: Arc<str> = reference.into();
        if !self.library.contains_key(&name) {
            // It may refer to itself.
            self.library.insert(Arc::clone(&name), Schema::default());
            let schema = match self.pool.get(reference)? {
                Some(target) if !is_schema(&target) => return Err("schema must be of type object".to_owned()),
                Some(target) => deeper(|| self.schema(&target))?,
                None => Schema::default(),
            };
            self.library.insert(Arc::clone(&name), schema);
        }
        Ok(Schema { reference: Some(name), ..Schema::default() })
    }
}

fn types(json: &Value) -> Result<Vec<Arc<str>>, String> {
    let wrong = || wrong_type("type", "string/array of strings");
    let Some(given) = json.get("type") else { return Ok(Vec::new()) };
    let given =
        if given.as_str().is_some() { std::slice::from_ref(given) } else { given.as_array().ok_or_else(wrong)? };
    let mut types: Vec<Arc<str>> = Vec::new();
    for name in given {
        let name = name.as_str().ok_or_else(wrong)?;
        if !TYPES.contains(&name) {
            let known = TYPES.join(" ");
            return Err(format!(
                "has a primitive type that is NOT VALID -- given: /{name}/ Expected valid values are:[{known}]"
            ));
        }
        if types.iter().any(|known| **known == *name) {
            return Err(format!("{name} type is duplicated"));
        }
        types.push(name.into());
    }
    Ok(types)
}
