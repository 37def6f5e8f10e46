//! Template strings.

use super::literal::unescape;
use super::{Parser, Place};
use crate::syntax::ast::{Expr, ExprKind, Template, TemplatePart, Term, TermKind};
use crate::syntax::token::Token;

impl Parser {
    /// A template string; afterwards the token is its last part.
    pub(super) fn template(&mut self, raw: bool) -> Option<Term> {
        let start = self.place();
        if !self.options.language.template_strings {
            self.error(start, "template strings are not supported by current capabilities");
            return None;
        }
        let mut parts = Vec::new();
        let mut depth = 0;
        loop {
            parts.extend(self.template_text(raw)?.map(TemplatePart::Text));
            if matches!(self.token(), Token::TemplateEnd | Token::RawTemplateEnd) {
                break;
            }
            parts.push(self.template_expr()?);
            depth = depth.max(self.state.depth);
            if self.token() != Token::RBrace {
                self.error(self.place(), "expected } to end template string expression");
                return None;
            }
            self.scan_template(raw);
        }
        let span = self.span_of(start, start.offset, self.place().end);
        self.set_depth(depth + 1).then(|| Term::new(TermKind::Template(Box::new(Template { parts, raw })), span))
    }

    /// The text of the part that the token is, if there is any.
    #[expect(clippy::option_option, reason = "nothing because of an error, or no text")]
    fn template_text(&mut self, raw: bool) -> Option<Option<Term>> {
        if !matches!(
            self.token(),
            Token::TemplatePart | Token::TemplateEnd | Token::RawTemplatePart | Token::RawTemplateEnd
        ) {
            self.error(self.place(), "expected template-string part");
            return None;
        }
        let literal = self.literal();
        let text = if raw { Some(literal.to_owned()) } else { unescape(literal) };
        let Some(text) = text else {
            let message = format!("illegal template-string part: \"{literal}\"");
            self.error(self.place(), message);
            return None;
        };
        Some((!text.is_empty()).then(|| Term::scalar(text, self.span(self.place()))))
    }

    fn template_expr(&mut self) -> Option<TemplatePart> {
        let comments = self.state.comments;
        self.scan();
        let commented = self.state.comments != comments;
        let Some(expr) = self.literal_expr() else {
            self.error(self.place(), "invalid template-string expression");
            return None;
        };
        if let Some(complaint) = unfit(&expr) {
            let place = Place {
                offset: expr.span.start as usize,
                end: expr.span.end as usize,
                row: expr.span.row,
                col: expr.span.col,
            };
            self.error(place, format!("unexpected {complaint} in template-string expression"));
            return None;
        }
        Some(match expr.kind {
            ExprKind::Term(term @ Term { kind: TermKind::Scalar(_), .. }) if !commented => TemplatePart::Text(term),
            _ => TemplatePart::Expr(expr),
        })
    }
}

/// What keeps an expression from being part of a template.
fn unfit(expr: &Expr) -> Option<&'static str> {
    if expr.negated {
        return Some("negation ('not')");
    }
    match &expr.kind {
        ExprKind::Every(_) => Some("'every'"),
        ExprKind::Some(_) => Some("'some'"),
        ExprKind::Call(terms) => match terms.first()?.as_ref()? {
            [name] if name.as_var().is_some_and(|name| &**name == "eq") => Some("unification ('=')"),
            [name] if name.as_var().is_some_and(|name| &**name == "assign") => Some("assignment (':=')"),
            _ => None,
        },
        ExprKind::Term(_) => None,
    }
}
