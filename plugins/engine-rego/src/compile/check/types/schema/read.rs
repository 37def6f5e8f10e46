//! Reads JSON schemas: their parts, and the schemas that they refer to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use regent_core::Value;
use regent_core::engine::Capabilities;

use super::Schema;
use crate::compile::check::vars::deeper;

/// The types that there are.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "number", "null", "object", "string"];
/// The schemas of schemas, of which nothing is said here.
const META: [&str; 3] = ["draft-04", "draft-06", "draft-07"];

/// The schemas that a schema refers to, by their references.
#[derive(Debug, Default)]
pub(super) struct Library(HashMap<Arc<str>, Schema>);

impl Library {
    /// Reads a schema with all that it refers to.
    ///
    /// # Errors
    /// What is wrong with it, in the words of OPA's reader of schemas.
    pub(super) fn read(root: &Value, capabilities: Option<&Capabilities>) -> Result<(Schema, Self), String> {
        let mut names = BTreeMap::new();
        collect_names(root, &mut names);
        let mut reader = Reader { root, names, capabilities, library: HashMap::new() };
        let schema = reader.schema(root)?;
        Ok((schema, Self(reader.library)))
    }

    /// The schema that a reference leads to.
    pub(super) fn get(&self, reference: &str) -> Option<&Schema> {
        self.0.get(reference)
    }
}

struct Reader<'a> {
    root: &'a Value,
    /// The parts that have names of their own.
    names: BTreeMap<&'a str, &'a Value>,
    capabilities: Option<&'a Capabilities>,
    library: HashMap<Arc<str>, Schema>,
}

/// Finds the parts with an `$id` or `id`.
fn collect_names<'a>(json: &'a Value, names: &mut BTreeMap<&'a str, &'a Value>) {
    if let Some(entries) = json.as_object() {
        let name = ["$id", "id"].into_iter().find_map(|key| entries.get_str(key)?.as_str());
        if let Some(name) = name {
            names.entry(name.strip_suffix('#').unwrap_or(name)).or_insert(json);
        }
        entries.values().for_each(|value| deeper(|| collect_names(value, names)));
    }
    json.as_array().into_iter().flatten().for_each(|item| deeper(|| collect_names(item, names)));
}

fn wrong_type(expected: &str, given: &str) -> String {
    format!("Invalid type. Expected: {expected}, given: {given}")
}

/// Whether something may be a schema.
fn is_schema(json: &Value) -> bool {
    json.is_object() || json.as_bool().is_some()
}

impl<'a> Reader<'a> {
    fn schema(&mut self, json: &'a Value) -> Result<Schema, String> {
        if json.as_bool().is_some() {
            return Ok(Schema::default());
        }
        if !json.is_object() {
            return Err("Expected: schema, given: Invalid JSON".to_owned());
        }
        deeper(|| self.object(json))
    }

    fn object(&mut self, json: &'a Value) -> Result<Schema, String> {
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
    fn checked(&mut self, json: &'a Value) -> Result<(), String> {
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
    fn all_in(&mut self, json: &'a Value, key: &str, wrong: impl Fn() -> String) -> Result<(), String> {
        let Some(parts) = json.get(key) else { return Ok(()) };
        for part in parts.as_object().ok_or_else(&wrong)?.values() {
            if !is_schema(part) {
                return Err(wrong());
            }
            self.schema(part)?;
        }
        Ok(())
    }

    fn list(&mut self, json: &'a Value, key: &str) -> Result<Option<Vec<Schema>>, String> {
        let Some(parts) = json.get(key) else { return Ok(None) };
        let parts = parts.as_array().ok_or_else(|| format!("{key} must be of an array"))?;
        let schemas = parts.iter().map(|part| self.schema(part)).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(schemas).filter(|schemas| !schemas.is_empty()))
    }

    /// Reads what a reference leads to, unless that was done before.
    fn reference(&mut self, reference: &str) -> Result<Schema, String> {
        let name: Arc<str> = reference.into();
        if !self.library.contains_key(&name) {
            // It may refer to itself.
            self.library.insert(Arc::clone(&name), Schema::default());
            let schema = match self.target(reference)? {
                Some(target) => self.schema(target)?,
                None => Schema::default(),
            };
            self.library.insert(Arc::clone(&name), schema);
        }
        Ok(Schema { reference: Some(name), ..Schema::default() })
    }

    /// What a reference leads to; nothing for the schemas of schemas.
    fn target(&self, reference: &str) -> Result<Option<&'a Value>, String> {
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        if let Some(named) = self.names.get(reference) {
            return Ok(Some(named));
        }
        let document = match document {
            "" => self.root,
            _ => match self.named(document) {
                Some(document) => document,
                None if META.iter().any(|draft| document == format!("http://json-schema.org/{draft}/schema")) => {
                    return Ok(None);
                }
                None => return Err(self.unreachable(document)),
            },
        };
        let steps = fragment.split('/').skip(1);
        steps.map(unescaped).try_fold(document, |value, key| child(value, &key)).map(Some)
    }

    /// The part with a name, as it is or relative to that of the whole.
    fn named(&self, document: &str) -> Option<&'a Value> {
        let base = ["$id", "id"].into_iter().find_map(|key| self.root.get(key)?.as_str());
        let relative = base.and_then(|base| base.rsplit_once('/')).map(|(folder, _)| format!("{folder}/{document}"));
        self.names.get(document).or_else(|| self.names.get(relative?.as_str())).copied()
    }

    fn unreachable(&self, document: &str) -> String {
        if document.starts_with("file:") {
            return format!("file reference loading disabled: {document}");
        }
        let authority =
            document.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?']).next().unwrap_or(rest));
        let host = authority.rsplit('@').next().unwrap_or(authority);
        let host = match host.strip_prefix('[') {
            Some(address) => address.split(']').next().unwrap_or(address),
            None => host.split(':').next().unwrap_or(host),
        };
        if self.capabilities.is_none_or(|capabilities| capabilities.allows_host(host)) {
            format!("remote reference loading is not supported: {document}")
        } else {
            format!("remote reference loading disabled: {document}")
        }
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

/// A step of a pointer without its escapes.
fn unescaped(step: &str) -> String {
    let mut bytes = Vec::with_capacity(step.len());
    let mut rest = step.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%');
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).replace("~1", "/").replace("~0", "~")
}

fn child<'v>(value: &'v Value, key: &str) -> Result<&'v Value, String> {
    match value.as_array() {
        Some(items) => {
            let place = key.parse::<usize>().map_err(|_| format!("Invalid array index '{key}'"))?;
            let last = items.len().saturating_sub(1);
            items.get(place).ok_or_else(|| format!("Out of bound array[0,{last}] index '{place}'"))
        }
        None => value.get(key).ok_or_else(|| format!("Object has no key '{key}'")),
    }
}
