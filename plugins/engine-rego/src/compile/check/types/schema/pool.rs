//! The documents that schemas lie in and refer to, found as OPA's reader of schemas finds them: by their addresses and by
//! the names that parts of them have.

use std::collections::HashMap;

use regent_core::Value;
use regent_core::engine::Cancel;
use url::Url;

use crate::compile::check::vars::deeper;
use regent_builtins::remote::{Documents, Network};

/// The schemas of schemas, of which nothing is said here.
const META: [&str; 3] = ["draft-04", "draft-06", "draft-07"];

/// Documents, and parts with names, by their absolute addresses; the schema that was given has none.
pub(super) struct Pool {
    known: HashMap<String, Value>,
    documents: Documents,
}

impl Pool {
    /// No documents yet.
    pub(super) fn new(network: &Network) -> Self {
        let documents = Documents::new(network.clone(), Cancel::default(), |work| work());
        Self { known: HashMap::new(), documents }
    }

    /// Adds a document, and gives it with references that are absolute.
    ///
    /// # Errors
    /// When two parts have the same name.
    pub(super) fn add(&mut self, address: &str, document: &Value) -> Result<Value, String> {
        let document = self.absolute(document, address)?;
        self.known.insert(address.to_owned(), document.clone());
        Ok(document)
    }

    /// What an absolute reference leads to; nothing for the schemas of schemas.
    ///
    /// # Errors
    /// When it leads nowhere, or into a document that cannot be fetched.
    pub(super) fn get(&mut self, reference: &str) -> Result<Option<Value>, String> {
        if let Some(named) = self.known.get(reference) {
            return Ok(Some(named.clone()));
        }
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let document = match self.known.get(address) {
            Some(known) => known.clone(),
            None if META.iter().any(|draft| address == format!("http://json-schema.org/{draft}/schema")) => {
                return Ok(None);
            }
            None if is_canonical(address) => {
                let document = self.documents.get(address).map_err(|error| error.to_string())?;
                self.add(address, &document)?
            }
            None => return Err(format!("Reference {reference} must be canonical")),
        };
        let mut steps = fragment.split('/').skip(1).map(unescaped);
        steps.try_fold(document, |value, key| child(&value, &key).cloned()).map(Some)
    }

    /// A part with references that are absolute, as seen from an address. Parts with names are added under them.
    fn absolute(&mut self, json: &Value, base: &str) -> Result<Value, String> {
        if let Some(items) = json.as_array() {
            let items = items.iter().map(|item| deeper(|| self.absolute(item, base)));
            return Ok(Value::array(items.collect::<Result<Vec<_>, _>>()?));
        }
        let Some(entries) = json.as_object() else { return Ok(json.clone()) };
        let name = entries.get_str("$id").or_else(|| entries.get_str("id")).and_then(Value::as_str);
        let name = name.map(|name| resolved(base, name));
        if let Some(name) = &name
            && self.known.insert(name.clone(), Value::NULL).is_some()
        {
            return Err(format!("Reference already exists: \"{name}\""));
        }
        let base = name.as_deref().unwrap_or(base);
        let mut absolute = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            absolute.push((key.clone(), self.absolute_entry(key, value, base)?));
        }
        let absolute = Value::object(absolute);
        if let Some(name) = name {
            self.known.insert(name, absolute.clone());
        }
        Ok(absolute)
    }

    fn absolute_entry(&mut self, key: &Value, value: &Value, base: &str) -> Result<Value, String> {
        let key = key.as_str().unwrap_or_default();
        match (key, value.as_str(), value.as_object()) {
            ("$ref", Some(reference), _) => Ok(resolved(base, reference).into()),
            // Values, which are no schemas.
            ("const" | "enum", ..) => Ok(value.clone()),
            // Names that somebody chose, and schemas behind them.
            ("properties" | "dependencies" | "patternProperties", _, Some(named)) => {
                let mut all = Vec::with_capacity(named.len());
                for (name, part) in named {
                    all.push((name.clone(), deeper(|| self.absolute(part, base))?));
                }
                Ok(Value::object(all))
            }
            _ => deeper(|| self.absolute(value, base)),
        }
    }
}

/// A reference as seen from an address. An empty fragment is none.
fn resolved(base: &str, reference: &str) -> String {
    let base = base.split('#').next().unwrap_or(base);
    let absolute = if Url::parse(reference).is_ok() || base.is_empty() {
        reference.to_owned()
    } else if let Ok(joined) = Url::parse(base).and_then(|base| base.join(reference)) {
        joined.into()
    } else if reference.starts_with('#') {
        format!("{base}{reference}")
    } else {
        let folder = base.rsplit_once('/').filter(|_| !reference.starts_with('/')).map(|(folder, _)| folder);
        folder.map_or_else(|| reference.to_owned(), |folder| format!("{folder}/{reference}"))
    };
    absolute.strip_suffix('#').map(str::to_owned).unwrap_or(absolute)
}

/// Whether an address says where a document is, wherever it is seen from.
fn is_canonical(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| url.scheme() == "file" || url.has_host())
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
