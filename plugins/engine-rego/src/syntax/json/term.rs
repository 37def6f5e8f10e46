//! Terms.

use regent_core::Value;
use regent_core::value::{Json, View};

use super::Writer;
use crate::syntax::ast::{Template, TemplatePart, Term, TermKind};
use crate::syntax::depth::deeper;
use crate::syntax::order;

impl Writer {
    pub(super) fn terms(self, terms: &[Term]) -> Json {
        Json::Array(terms.iter().map(|term| self.term(term)).collect())
    }

    pub(super) fn term(self, term: &Term) -> Json {
        deeper(|| self.any_term(term))
    }

    fn any_term(self, term: &Term) -> Json {
        let value = match &term.kind {
            TermKind::Scalar(value) => match value.view() {
                // OPA's null is a structure without fields.
                View::Null => Json::Object(Vec::new()),
                _ => Json::from(value.clone()),
            },
            TermKind::Var(name) => Json::from(&**name),
            TermKind::Ref(parts) | TermKind::Array(parts) | TermKind::Call(parts) => self.terms(parts),
            TermKind::Set(items) => Json::Array(order::members(items).iter().map(|item| self.term(item)).collect()),
            TermKind::Object(entries) => Json::Array(
                order::entries(entries)
                    .iter()
                    .map(|(key, value)| Json::Array(vec![self.term(key), self.term(value)]))
                    .collect(),
            ),
            TermKind::ArrayComprehension(parts) | TermKind::SetComprehension(parts) => {
                Json::Object(vec![("term", self.term(&parts.term)), ("body", self.body(&parts.body))])
            }
            TermKind::ObjectComprehension(parts) => Json::Object(vec![
                ("key", self.term(&parts.key)),
                ("value", self.term(&parts.value)),
                ("body", self.body(&parts.body)),
            ]),
            TermKind::Template(template) => self.template(template),
        };
        self.object(&term.span, vec![("type", term.kind_name().into()), ("value", value)])
    }

    fn template(self, template: &Template) -> Json {
        let parts = template.parts.iter().map(|part| match part {
            TemplatePart::Text(term) => self.term(term),
            TemplatePart::Expr(expr) => self.expr(expr),
        });
        let parts = if template.parts.is_empty() { Json::from(Value::default()) } else { Json::Array(parts.collect()) };
        Json::Object(vec![("parts", parts), ("multi_line", template.raw.into())])
    }
}
