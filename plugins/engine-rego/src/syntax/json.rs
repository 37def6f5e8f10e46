//! The tree as OPA's JSON.

mod location;
mod term;

use regent_core::Value;
use regent_core::value::Json;

use self::location::with_location;
use super::ast::{Annotations, Body, Comment, Every, Expr, ExprKind, Head, Import, Module, Package, Rule, Span, With};
use super::depth::deeper;
use super::{AnnotationScope, annotations};

/// What the JSON holds beside the tree itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonOptions {
    /// Where each node stands.
    pub locations: bool,
    /// The comments of the module.
    pub comments: bool,
}

impl Default for JsonOptions {
    fn default() -> Self {
        Self { locations: false, comments: true }
    }
}

/// The module as `opa parse --format json` and `GET /v1/policies` show it, fields in OPA's order.
pub fn module_to_json(module: &Module, options: JsonOptions) -> Json {
    Writer { options }.module(module)
}

/// The body of a query, as `POST /v1/compile` shows queries.
pub fn body_to_json(body: &Body) -> Json {
    Writer { options: JsonOptions::default() }.body(body)
}

/// A rule without its module's annotations.
pub fn rule_to_json(rule: &Rule) -> Json {
    Writer { options: JsonOptions::default() }.rule(rule, Vec::new())
}

/// A field of an object.
type Field = (&'static str, Json);

/// Shows nodes with what was asked for.
#[derive(Clone, Copy)]
struct Writer {
    options: JsonOptions,
}

impl Writer {
    fn module(self, module: &Module) -> Json {
        let mut fields = vec![("package", self.package(&module.package))];
        let mut list = |name: &'static str, items: Vec<Json>| {
            if !items.is_empty() {
                fields.push((name, Json::Array(items)));
            }
        };
        list("imports", module.imports.iter().map(|import| self.import(import)).collect());
        list("annotations", module.annotations.iter().map(|found| self.annotations(found)).collect());
        let of_rules = annotations::of_rules(module);
        let rules = module.rules.iter().zip(of_rules);
        list("rules", rules.map(|(rule, found)| self.rule(rule, found)).collect());
        if self.options.comments {
            list("comments", module.comments.iter().map(|comment| self.comment(comment)).collect());
        }
        Json::Object(fields)
    }

    fn package(self, package: &Package) -> Json {
        self.object(&package.span, vec![("path", self.terms(&package.path))])
    }

    fn import(self, import: &Import) -> Json {
        let mut fields = vec![("path", self.term(&import.path))];
        fields.extend(import.alias.as_ref().map(|alias| ("alias", Json::from(&**alias))));
        self.object(&import.span, fields)
    }

    fn comment(self, comment: &Comment) -> Json {
        // The one node whose location is always shown, and whose names are written with capitals.
        let text = Json::from(location::base64(comment.text.as_bytes()));
        Json::Object(vec![("Text", text), ("Location", location::show(&comment.span, self.options.locations))])
    }

    fn annotations(self, found: &Annotations) -> Json {
        let mut entries = vec![(Value::from("scope"), Value::from(found.scope.as_str()))];
        for (name, value) in found.content.as_object().into_iter().flat_map(regent_core::value::Object::iter) {
            match name.as_str() {
                // OPA leaves this part out.
                Some("compile") => {}
                Some("schemas") => {
                    let schemas = value.as_array().unwrap_or_default().iter().map(schema);
                    entries.push((name.clone(), Value::array(schemas)));
                }
                _ => entries.push((name.clone(), value.clone())),
            }
        }
        if self.options.locations {
            entries.push(("location".into(), location::value(&found.span, true)));
        }
        Json::from(Value::object(entries))
    }

    fn rule(self, rule: &Rule, annotations: Vec<&Annotations>) -> Json {
        let has_own_name = has_name(rule);
        self.branch(rule, has_own_name, annotations)
    }

    /// A rule or an `else` of it.
    fn branch(self, rule: &Rule, has_name: bool, annotations: Vec<&Annotations>) -> Json {
        deeper(|| self.any_branch(rule, has_name, annotations))
    }

    fn any_branch(self, rule: &Rule, has_name: bool, annotations: Vec<&Annotations>) -> Json {
        let mut fields = Vec::new();
        if !annotations.is_empty() {
            let shown = annotations.into_iter().map(|found| self.annotations(found));
            fields.push(("annotations", Json::Array(shown.collect())));
        }
        fields.push(("body", self.body(&rule.body)));
        if rule.default {
            fields.push(("default", true.into()));
        }
        fields.extend(rule.else_branch.as_ref().map(|next| ("else", self.branch(next, has_name, Vec::new()))));
        fields.push(("head", self.head(&rule.head, has_name)));
        self.object(&rule.span, fields)
    }

    fn head(self, head: &Head, has_name: bool) -> Json {
        let mut fields = Vec::new();
        if let (true, Some(name)) = (has_name, head.reference.first().and_then(|first| first.as_var())) {
            fields.push(("name", Json::from(&**name)));
        }
        if let Some(args) = head.args.as_ref().filter(|args| !args.is_empty()) {
            fields.push(("args", self.terms(args)));
        }
        fields.extend(head.key.as_ref().map(|key| ("key", self.term(key))));
        fields.extend(head.value.as_ref().map(|value| ("value", self.term(value))));
        if head.assign {
            fields.push(("assign", true.into()));
        }
        fields.push(("ref", self.terms(&head.reference)));
        if self.options.locations && head.span.row > 0 {
            fields.push(("location", location::show(&head.span, true)));
        }
        Json::Object(fields)
    }

    fn body(self, body: &Body) -> Json {
        Json::Array(body.iter().map(|expr| self.expr(expr)).collect())
    }

    fn expr(self, expr: &Expr) -> Json {
        let mut fields = Vec::new();
        if expr.generated {
            fields.push(("generated", true.into()));
        }
        fields.push(("index", Json::from(u64::try_from(expr.index).unwrap_or(u64::MAX))));
        if expr.negated {
            fields.push(("negated", true.into()));
        }
        let terms = match &expr.kind {
            ExprKind::Term(term) => self.term(term),
            ExprKind::Call(terms) => self.terms(terms),
            ExprKind::Some(symbols) => self.object(&some_word(&expr.span), vec![("symbols", self.terms(symbols))]),
            ExprKind::Every(every) => self.every(every),
        };
        fields.push(("terms", terms));
        if !expr.with.is_empty() {
            fields.push(("with", Json::Array(expr.with.iter().map(|with| self.with(with)).collect())));
        }
        self.object(&expr.span, fields)
    }

    fn every(self, every: &Every) -> Json {
        let key = every.key.as_ref().map_or_else(|| Json::from(Value::default()), |key| self.term(key));
        let fields = vec![
            ("body", self.body(&every.body)),
            ("domain", self.term(&every.domain)),
            ("key", key),
            ("value", self.term(&every.value)),
        ];
        self.object(&every.span, fields)
    }

    fn with(self, with: &With) -> Json {
        self.object(&with.span, vec![("target", self.term(&with.target)), ("value", self.term(&with.value))])
    }

    /// An object with sorted fields and, where asked for and known, its location.
    fn object(self, span: &Span, fields: Vec<Field>) -> Json {
        Json::Object(if self.options.locations { with_location(fields, span) } else { fields })
    }
}

/// A schema annotation with its references as terms.
fn schema(schema: &Value) -> Value {
    let entries = schema.as_object().into_iter().flat_map(regent_core::value::Object::iter);
    Value::object(entries.map(|(name, value)| match name.as_str() {
        Some("path" | "schema") => {
            let parts = value.as_array().unwrap_or_default().iter().enumerate();
            let term = |(index, part): (usize, &Value)| {
                let kind = if index == 0 { "var" } else { "string" };
                Value::object([("type", Value::from(kind)), ("value", part.clone())])
            };
            (name.clone(), Value::array(parts.map(term)))
        }
        _ => (name.clone(), value.clone()),
    }))
}

/// The word `some` that an expression begins with.
fn some_word(expr: &Span) -> Span {
    let end = expr.start.saturating_add(4).min(expr.end);
    Span { end, ..expr.clone() }
}

/// Whether OPA gives a rule a name beside its reference: not those that it knows by a reference of two parts only.
fn has_name(rule: &Rule) -> bool {
    let head = &rule.head;
    if head.reference.len() != 2 {
        return head.reference.len() == 1;
    }
    let contains = head.value.is_none();
    let has_args = head.args.as_ref().is_some_and(|args| !args.is_empty());
    !rule.default && !contains && if has_args { !rule.body_is_generated } else { !head.value_is_generated }
}

impl AnnotationScope {
    /// The scope as the text spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Document => "document",
            Self::Package => "package",
            Self::Subpackages => "subpackages",
        }
    }
}
