//! What a metadata block says.

use std::sync::Arc;

use regent_core::Value;
use regent_core::engine::RegoVersion;

use super::yaml::{self, Failure, Kind, Node};
use crate::syntax::ast::{SourceFile, Term, TermKind};
use crate::syntax::{parse_ref, parse_term};

/// The fields of a block, each of the type that it has to have.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) scope: String,
    title: String,
    description: String,
    organizations: Vec<String>,
    related_resources: Vec<Node>,
    authors: Vec<Node>,
    schemas: Vec<Vec<(Node, Node)>>,
    entrypoint: bool,
    compile: Option<Vec<(Node, Node)>>,
    custom: Vec<(Node, Node)>,
}

/// What cannot be taken for the type of its field.
struct Mismatches(Vec<String>);

impl Mismatches {
    fn add(&mut self, node: &Node, wanted: &str) {
        self.0.push(format!("  line {}: cannot unmarshal {} into {wanted}", node.line, node.described()));
    }

    fn text(&mut self, node: &Node) -> String {
        match &node.kind {
            _ if node.is_null() => String::new(),
            Kind::Scalar(text, _) => text.clone(),
            _ => {
                self.add(node, "string");
                String::new()
            }
        }
    }

    fn truth(&mut self, node: &Node) -> bool {
        let truth = match &node.kind {
            Kind::Scalar(text, true) => match &**text {
                "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
                "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
                _ if node.is_null() => Some(false),
                _ => node.value().as_bool(),
            },
            _ => None,
        };
        if truth.is_none() {
            self.add(node, "bool");
        }
        truth.unwrap_or_default()
    }

    fn list(&mut self, node: Node, wanted: &str) -> Vec<Node> {
        if node.is_null() {
            return Vec::new();
        }
        if let Kind::Seq(items) = node.kind {
            return items;
        }
        self.add(&node, wanted);
        Vec::new()
    }

    fn map(&mut self, node: Node) -> Vec<(Node, Node)> {
        if node.is_null() {
            return Vec::new();
        }
        if let Kind::Map(entries) = node.kind {
            return entries;
        }
        self.add(&node, "map[string]interface {}");
        Vec::new()
    }
}

impl Raw {
    /// Reads the text of a block.
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let document = yaml::read(text)?;
        let mut raw = Self::default();
        let mut wrong = Mismatches(Vec::new());
        if document.is_null() {
            return Ok(raw);
        }
        let Kind::Map(entries) = document.kind else {
            wrong.add(&document, "ast.rawAnnotation");
            return Err(failure(&wrong));
        };
        for (key, value) in entries {
            match &*key.text() {
                "scope" => raw.scope = wrong.text(&value),
                "title" => raw.title = wrong.text(&value),
                "description" => raw.description = wrong.text(&value),
                "entrypoint" => raw.entrypoint = wrong.truth(&value),
                "organizations" => {
                    let items = wrong.list(value, "[]string");
                    raw.organizations = items.iter().map(|item| wrong.text(item)).collect();
                }
                "related_resources" => raw.related_resources = wrong.list(value, "[]interface {}"),
                "authors" => raw.authors = wrong.list(value, "[]interface {}"),
                "schemas" => {
                    let items = wrong.list(value, "[]map[string]interface {}");
                    raw.schemas = items.into_iter().map(|item| wrong.map(item)).collect();
                }
                "compile" if value.is_null() => {}
                "compile" => raw.compile = Some(wrong.map(value)),
                "custom" => raw.custom = wrong.map(value),
                _ => {}
            }
        }
        if wrong.0.is_empty() { Ok(raw) } else { Err(failure(&wrong)) }
    }

    /// The content as `rego.metadata` gives it, with the compile section besides.
    pub(super) fn content(&self) -> Result<Value, String> {
        let mut fields: Vec<(&str, Value)> = Vec::new();
        for (name, text) in [("title", &self.title), ("description", &self.description)] {
            if !text.is_empty() {
                fields.push((name, Value::from(&**text)));
            }
        }
        if self.entrypoint {
            fields.push(("entrypoint", true.into()));
        }
        let related = self.related_resources.iter().map(|node| {
            related_resource(node).map_err(|why| format!("invalid related-resource definition {}: {why}", shown(node)))
        });
        let related = related.collect::<Result<Vec<_>, _>>()?;
        fields.extend(self.compile.as_deref().map(compile).transpose()?.map(|section| ("compile", section)));
        let schemas = self.schemas.iter().map(|pair| schema(pair)).collect::<Result<Vec<_>, _>>()?;
        let authors = self
            .authors
            .iter()
            .map(|node| author(node).map_err(|why| format!("invalid author definition {}: {why}", shown(node))));
        let authors = authors.collect::<Result<Vec<_>, _>>()?;
        let organizations = self.organizations.iter().map(|name| Value::from(&**name)).collect();
        let lists = [
            ("organizations", organizations),
            ("related_resources", related),
            ("authors", authors),
            ("schemas", schemas),
        ];
        let lists = lists.into_iter().filter(|(_, items)| !items.is_empty());
        fields.extend(lists.map(|(name, items)| (name, Value::array(items))));
        if !self.custom.is_empty() {
            let entries = self.custom.iter().map(|(key, value)| (key.text(), value.value()));
            fields.push(("custom", Value::object(entries)));
        }
        Ok(Value::object(fields))
    }
}

fn failure(wrong: &Mismatches) -> Failure {
    let line =
        wrong.0.first().and_then(|first| first.trim_start().strip_prefix("line ")?.split(':').next()?.parse().ok());
    Failure { message: format!("yaml: unmarshal errors:\n{}", wrong.0.join("\n")), line }
}

/// A part as Go's `%s` shows it, near enough for an error.
fn shown(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar(text, _) => text.clone(),
        Kind::Seq(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
        Kind::Map(entries) => {
            let mut entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{}:{}", shown(key), shown(value))).collect();
            entries.sort();
            format!("map[{}]", entries.join(" "))
        }
    }
}

/// The trimmed text that a map holds under a name.
fn field(entries: &[(Node, Node)], name: &str) -> String {
    let found = entries.iter().find(|(key, _)| key.text() == name);
    let text = found.and_then(|(_, value)| value.value().as_str().map(|text| text.trim().to_owned()));
    text.unwrap_or_default()
}

fn related_resource(node: &Node) -> Result<Value, String> {
    let (reference, description) = match &node.kind {
        Kind::Map(entries) => {
            let reference = field(entries, "ref");
            if reference.is_empty() {
                return Err("'ref' value required in object".into());
            }
            (reference, field(entries, "description"))
        }
        Kind::Scalar(text, _) if node.value().as_str().is_some() => {
            if text.is_empty() {
                return Err("ref URL may not be empty string".into());
            }
            (text.clone(), String::new())
        }
        _ => return Err("invalid value type, must be string or map".into()),
    };
    if reference.contains(|c: char| c.is_ascii_control()) {
        let quoted = regent_builtins::spelling::quote(&reference);
        return Err(format!("parse {quoted}: net/url: invalid control character in URL"));
    }
    let mut fields = vec![("ref", Value::from(reference))];
    if !description.is_empty() {
        fields.push(("description", Value::from(description)));
    }
    Ok(Value::object(fields))
}

fn author(node: &Node) -> Result<Value, String> {
    let (name, email) = match &node.kind {
        Kind::Map(entries) => {
            let (name, email) = (field(entries, "name"), field(entries, "email"));
            if name.is_empty() && email.is_empty() {
                return Err("'name' and/or 'email' values required in object".into());
            }
            (name, email)
        }
        Kind::Scalar(text, _) if node.value().as_str().is_some() => author_of_text(text)?,
        _ => return Err("invalid value type, must be string or map".into()),
    };
    let fields = [("name", name), ("email", email)].into_iter().filter(|(_, text)| !text.is_empty());
    Ok(Value::object(fields.map(|(field, text)| (field, Value::from(text)))))
}

/// `Name <email>`
fn author_of_text(text: &str) -> Result<(String, String), String> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let last = *words.last().ok_or("author is an empty string")?;
    let email = last.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    if email.is_some() {
        words.pop();
    }
    Ok((words.join(" "), email.unwrap_or_default().to_owned()))
}

fn source(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile { name: "".into(), text: text.into() })
}

/// The section on compiling to filters, checked, as it is written.
fn compile(entries: &[(Node, Node)]) -> Result<Value, String> {
    let mut fields = Vec::new();
    for (key, value) in entries {
        match (&*key.text(), &value.kind) {
            ("unknowns", Kind::Seq(items)) => {
                for item in items.iter().map(Node::value) {
                    let Some(unknown) = item.as_str() else { continue };
                    parse_ref(source(unknown), RegoVersion::V1).map_err(|errors| {
                        format!("invalid unknowns element {}: {errors}", regent_builtins::spelling::quote(unknown))
                    })?;
                }
                fields.push(("unknowns", value.value()));
            }
            ("mask_rule", Kind::Scalar(mask, _)) if value.value().as_str().is_some() => {
                let quoted = || regent_builtins::spelling::quote(mask);
                let term = parse_term(source(mask), RegoVersion::V1)
                    .map_err(|errors| format!("invalid mask_rule annotation {}: {errors}", quoted()))?;
                let fits = matches!(term.kind, TermKind::Var(_) | TermKind::Ref(_)) || term.as_text().is_some();
                if !fits {
                    return Err(format!("invalid mask_rule annotation type {}: string", quoted()));
                }
                fields.push(("mask_rule", value.value()));
            }
            _ => {}
        }
    }
    Ok(Value::object(fields))
}

/// `path: schema`, where the schema is a reference or a definition.
fn schema(pair: &[(Node, Node)]) -> Result<Value, String> {
    let invalid_path = || String::from("invalid document reference");
    let (key, value) = pair.first().ok_or_else(invalid_path)?;
    let path = parse_ref(source(&key.text()), RegoVersion::V1).map_err(|_| invalid_path())?;
    let path = ("path", names(&path));
    match &value.kind {
        Kind::Map(_) => Ok(Value::object([path, ("definition", value.value())])),
        Kind::Scalar(text, _) if value.value().as_str().is_some() => {
            let invalid = || String::from("invalid schema reference");
            let term = parse_term(source(text), RegoVersion::V1).map_err(|_| invalid())?;
            let parts = match &term.kind {
                TermKind::Var(_) => std::slice::from_ref(&term),
                TermKind::Ref(parts) => parts,
                _ => return Err(invalid()),
            };
            if parts.first().and_then(Term::as_var).is_none_or(|root| &**root != "schema") {
                return Err(invalid());
            }
            Ok(Value::object([path, ("schema", names(parts))]))
        }
        _ => Err(format!("invalid schema declaration for path {}", regent_builtins::spelling::quote(&key.text()))),
    }
}

/// The parts of a reference as texts.
fn names(parts: &[Term]) -> Value {
    Value::array(parts.iter().map(|part| part.as_text().map_or_else(|| part.to_string(), str::to_owned)))
}
