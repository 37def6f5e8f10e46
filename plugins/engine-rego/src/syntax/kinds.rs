//! What terms are, and whether they vary.

use super::ast::{Expr, ExprKind, TemplatePart, Term, TermKind};
use super::depth::deeper;

impl Term {
    /// What kind of term it is, in OPA's words.
    pub(crate) fn kind_name(&self) -> &'static str {
        match &self.kind {
            TermKind::Scalar(value) => value.type_name(),
            TermKind::Var(_) => "var",
            TermKind::Ref(_) => "ref",
            TermKind::Array(_) => "array",
            TermKind::Object(_) => "object",
            TermKind::Set(_) => "set",
            TermKind::ArrayComprehension(_) => "arraycomprehension",
            TermKind::SetComprehension(_) => "setcomprehension",
            TermKind::ObjectComprehension(_) => "objectcomprehension",
            TermKind::Call(_) => "call",
            TermKind::Template(_) => "templatestring",
        }
    }

    /// Whether no variable occurs in it but at the head of references.
    pub(crate) fn is_ground(&self) -> bool {
        deeper(|| match &self.kind {
            TermKind::Scalar(_) => true,
            TermKind::Var(_) => false,
            TermKind::Ref(parts) => ref_is_ground(parts),
            TermKind::Array(items) | TermKind::Set(items) | TermKind::Call(items) => items.iter().all(Self::is_ground),
            TermKind::Object(entries) => entries.iter().all(|(key, value)| key.is_ground() && value.is_ground()),
            TermKind::ArrayComprehension(parts) | TermKind::SetComprehension(parts) => {
                parts.term.is_ground() && parts.body.iter().all(Expr::is_ground)
            }
            TermKind::ObjectComprehension(parts) => {
                parts.key.is_ground() && parts.value.is_ground() && parts.body.iter().all(Expr::is_ground)
            }
            TermKind::Template(template) => template.parts.iter().all(|part| match part {
                TemplatePart::Text(_) => true,
                TemplatePart::Expr(expr) => expr.is_ground(),
            }),
        })
    }
}

impl Expr {
    /// Whether no variable occurs among its operands; declarations and `every` count as ground.
    pub(crate) fn is_ground(&self) -> bool {
        match &self.kind {
            ExprKind::Term(term) => term.is_ground(),
            ExprKind::Call(terms) => terms.iter().skip(1).all(Term::is_ground),
            ExprKind::Some(_) | ExprKind::Every(_) => true,
        }
    }
}

/// Whether no variable occurs in the reference but its head.
pub(crate) fn ref_is_ground(parts: &[Term]) -> bool {
    parts.iter().skip(1).all(Term::is_ground)
}
