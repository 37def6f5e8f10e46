//! Reads the layers, and notes what is wrong or doubtful in them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::MAX_DEPTH;
use super::environment::{self, Lookup};
use super::error::ConfigError;
use super::merge::Layer;
use super::overrides::{self, Assignment};
use super::variables::{Marked, Variables};
use crate::value::{Value, View};
use crate::yaml::{self, Document};

const SET: &str = "--set";
const SET_FILE: &str = "--set-file";

/// Where a layer comes from.
pub(super) enum Source {
    File(PathBuf),
    Text { name: String, text: String },
    Value { name: String, value: Value },
}

/// Reads layers one after the other, and keeps what comes up on the way.
pub(super) struct LayerReader<'a> {
    lookup: &'a Lookup,
    strict: bool,
    pub(super) warnings: Vec<String>,
    pub(super) errors: Vec<ConfigError>,
}

impl<'a> LayerReader<'a> {
    pub(super) fn new(lookup: &'a Lookup, strict: bool) -> Self {
        Self { lookup, strict, warnings: Vec::new(), errors: Vec::new() }
    }

    /// Reads a layer, or notes why that cannot be.
    pub(super) fn layer(&mut self, source: &Source) -> Option<Layer> {
        match source {
            Source::File(path) => match read(path) {
                Ok(text) => self.text(&path.display().to_string(), &text),
                Err(why) => self.fail(&why),
            },
            Source::Text { name, text } => self.text(name, text),
            Source::Value { name, value } => {
                self.checked(name, Document { value: value.clone(), ..Document::default() })
            }
        }
    }

    pub(super) fn text(&mut self, name: &str, text: &str) -> Option<Layer> {
        let variables = variables(text);
        let text = self.substituted(name, text);
        match yaml::parse_watching(&text, Some("services")) {
            Ok(document) => Some(Layer { variables, ..self.checked(name, document)? }),
            Err(error) => self.fail(&format!("failed to parse {name}: error converting YAML to JSON: {error}")),
        }
    }

    fn checked(&mut self, name: &str, document: Document) -> Option<Layer> {
        let value = match document.value {
            null if null.is_null() => Value::empty_object(),
            object if object.is_object() => object,
            other => {
                let json = "error unmarshaling JSON: while decoding JSON: json";
                let found = go_name(&other);
                let target = "Go value of type map[string]interface {}";
                return self.fail(&format!("failed to parse {name}: {json}: cannot unmarshal {found} into {target}"));
            }
        };
        if deeper_than(&value, MAX_DEPTH) {
            return self.fail(&format!("failed to parse {name}: nested more than {MAX_DEPTH} levels deep"));
        }
        self.warnings.extend(document.warnings.iter().map(|warning| format!("{name}: {warning}")));
        Some(Layer { name: name.to_owned(), value, order: document.order, ..Layer::default() })
    }

    fn substituted(&mut self, layer: &str, text: &str) -> String {
        let (text, undefined) = environment::substitute(text, self.lookup);
        for name in undefined {
            if self.strict {
                let text = format!("config error: environment variable {name:?} is not defined");
                self.errors.push(ConfigError::opa(text).from_layer(layer));
            } else {
                self.warnings.push(format!("{layer}: environment variable {name:?} is not defined, taken as empty"));
            }
        }
        text
    }

    /// The layer that all `--set` make together.
    pub(super) fn set(&mut self, arguments: &[String]) -> Layer {
        let mut layer = Layer { name: SET.to_owned(), value: Value::empty_object(), ..Layer::default() };
        for argument in arguments {
            layer.variables.absorb(variables_of_argument(argument));
            let argument = self.substituted(SET, argument);
            for assignment in self.assignments(SET, &argument, &|word| Ok(overrides::typed(word))) {
                assign(&mut layer, &assignment);
            }
        }
        layer
    }

    /// The layer that all `--set-file` make together, on top of what `--set` made.
    pub(super) fn set_file(&mut self, arguments: &[String], set: &Value) -> Layer {
        let mut layer = Layer { name: SET_FILE.to_owned(), value: Value::empty_object(), ..Layer::default() };
        for argument in arguments {
            for assignment in self.assignments(SET_FILE, argument, &content) {
                // A list element goes into the list that --set began.
                if let Some(keys) = assignment.list_path()
                    && layer.value.at(&keys).is_none()
                    && let Some(list) = set.at(&keys).filter(|list| list.is_array())
                {
                    layer.value = layer.value.with(&keys, list.clone());
                }
                assign(&mut layer, &assignment);
            }
        }
        layer
    }

    fn assignments(
        &mut self,
        flag: &str,
        argument: &str,
        convert: &dyn Fn(&str) -> Result<Value, String>,
    ) -> Vec<Assignment> {
        overrides::parse(argument, convert)
            .or_else(|why| self.fail(&format!("failed parsing {flag} data: {why}")).ok_or(()))
            .unwrap_or_default()
    }

    fn fail<T>(&mut self, why: &str) -> Option<T> {
        self.errors.push(ConfigError::opa(format!("config error: {why}")));
        None
    }
}

/// Where the variables of a text went. Nowhere, if it can only be read with their values.
fn variables(text: &str) -> Variables {
    let Some(marked) = Marked::of(text) else { return Variables::default() };
    yaml::parse(&marked.text).map(|(value, _)| marked.variables(&value)).unwrap_or_default()
}

/// The same for the argument of one `--set`.
fn variables_of_argument(argument: &str) -> Variables {
    let Some(marked) = Marked::of(argument) else { return Variables::default() };
    let assignments = overrides::parse(&marked.text, &|word| Ok(word.into())).unwrap_or_default();
    let value = assignments.iter().fold(Value::empty_object(), |value, assignment| assignment.apply(&value));
    marked.variables(&value)
}

fn assign(layer: &mut Layer, assignment: &Assignment) {
    layer.value = assignment.apply(&layer.value);
    let mut keys = assignment.keys();
    if let (Some("services"), Some(name)) = (keys.next(), keys.next()) {
        layer.order.push(name.to_owned());
    }
}

/// The content of a file named by `--set-file`, without white space around it.
fn content(path: &str) -> Result<Value, String> {
    read(Path::new(path)).map(|text| text.trim().into())
}

/// The text of a file, or in words like Go's why there is none, with a hint where Go has none.
fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("open {shown}: no such file or directory"),
        ErrorKind::PermissionDenied => format!("open {shown}: permission denied (let the agent's user read it)"),
        ErrorKind::IsADirectory => format!("read {shown}: is a directory (name a file in it)"),
        _ => format!("open {shown}: {error} (check that it is a regular file on a working disk)"),
    })?;
    String::from_utf8(bytes).map_err(|_| format!("read {shown}: invalid UTF-8 (save it as UTF-8)"))
}

/// What Go's JSON reader calls the type of a value.
fn go_name(value: &Value) -> &'static str {
    if value.as_bool().is_some() { "bool" } else { value.type_name() }
}

/// Whether the value nests deeper; looks no further than it must.
fn deeper_than(value: &Value, limit: usize) -> bool {
    let Some(below) = limit.checked_sub(1) else {
        return matches!(value.view(), View::Array(_) | View::Object(_) | View::Set(_));
    };
    match value.view() {
        View::Array(items) => items.iter().any(|item| deeper_than(item, below)),
        View::Set(members) => members.iter().any(|member| deeper_than(member, below)),
        View::Object(entries) => entries.iter().any(|(_, value)| deeper_than(value, below)),
        _ => false,
    }
}
