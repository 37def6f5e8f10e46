//! A metadata block as the object that policies see.

use std::sync::Arc;

use regent_core::Value;
use regent_core::engine::RegoVersion;
use regent_core::value::View;

use crate::syntax::ast::{AnnotationScope, Annotations, ExprKind, SourceFile, TermKind};
use crate::syntax::parse_body;

/// The object of a block: what it says in one spelling, without what is empty.
pub(super) fn object(block: &Annotations) -> Value {
    let scope = match block.scope {
        AnnotationScope::Rule => "rule",
        AnnotationScope::Document => "document",
        AnnotationScope::Package => "package",
        AnnotationScope::Subpackages => "subpackages",
    };
    let content = &block.content;
    let text = |field| content.get(field).filter(|value| value.as_str().is_some_and(|text| !text.is_empty())).cloned();
    let list = |field, item: fn(&Value) -> Value| {
        let items = content.get(field).and_then(Value::as_array).filter(|items| !items.is_empty())?;
        Some(Value::array(items.iter().map(item)))
    };
    let fields = [
        ("scope", Some(Value::from(scope))),
        ("title", text("title")),
        ("description", text("description")),
        ("entrypoint", content.get("entrypoint").filter(|value| value.as_bool() == Some(true)).cloned()),
        ("organizations", list("organizations", Value::clone)),
        ("related_resources", list("related_resources", resource)),
        ("authors", list("authors", author)),
        ("schemas", list("schemas", schema)),
        ("custom", content.get("custom").filter(|custom| !is_empty_object(custom)).cloned()),
    ];
    Value::object(fields.into_iter().filter_map(|(field, value)| Some((field, value?))))
}

fn is_empty_object(value: &Value) -> bool {
    value.as_object().is_none_or(regent_core::value::Object::is_empty)
}

/// `https://example.com`, or that under `ref` with a `description`.
fn resource(item: &Value) -> Value {
    match item.as_str() {
        Some(_) => Value::object([("ref", item.clone())]),
        None => item.clone(),
    }
}

/// `Jane Doe <jane@example.com>`, or the parts under `name` and `email`.
fn author(item: &Value) -> Value {
    let Some(text) = item.as_str() else { return item.clone() };
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let email = words.last().and_then(|last| last.strip_prefix('<')?.strip_suffix('>'));
    if email.is_some() {
        words.pop();
    }
    let fields = [("name", words.join(" ")), ("email", email.unwrap_or_default().to_owned())];
    Value::object(fields.into_iter().filter(|(_, value)| !value.is_empty()))
}

/// `input.x: schema.y`, where both sides become arrays; a schema in place of the second stays as it is.
fn schema(item: &Value) -> Value {
    let Some((path, schema)) = item.as_object().filter(|entry| entry.len() == 1).and_then(|entry| entry.iter().next())
    else {
        return item.clone();
    };
    let Some(path) = path.as_str().and_then(reference) else { return item.clone() };
    let schema = match schema.view() {
        View::String(text) => ("schema", reference(text).unwrap_or_else(|| schema.clone())),
        _ => ("definition", schema.clone()),
    };
    Value::object([("path", path), schema])
}

/// The parts of a reference.
fn reference(text: &str) -> Option<Value> {
    let source = SourceFile { name: Arc::from(""), text: text.into() };
    let [expr] = &parse_body(Arc::new(source), RegoVersion::V1).ok()?[..] else { return None };
    let ExprKind::Term(term) = &expr.kind else { return None };
    let part = |term: &crate::syntax::ast::Term| match &term.kind {
        TermKind::Var(name) => Some(Value::from(&**name)),
        TermKind::Scalar(value) => Some(value.clone()),
        _ => None,
    };
    match &term.kind {
        TermKind::Ref(parts) => parts.iter().map(part).collect::<Option<Vec<_>>>().map(Value::array),
        _ => part(term).map(|part| Value::array([part])),
    }
}
