//! Terms without operators between them.

use super::Parser;
use crate::syntax::ast::{Term, TermKind};
use crate::syntax::token::Token;

impl Parser {
    /// A term and whatever is applied to it: `.name`, `[key]`, `(arguments)`.
    pub(super) fn term(&mut self) -> Option<Term> {
        if let Some((term, behind)) = self.ready.take() {
            self.restore(behind);
            return Some(term);
        }
        let start = (self.place().offset, self.token());
        if let Some(behind) = self.failed.get(&start) {
            self.state = behind.clone();
            return None;
        }
        let term = self.nested(|parser| {
            let head = parser.term_head()?;
            parser.finish_term(head)
        });
        if term.is_none() {
            self.failed.insert(start, self.save());
        }
        term
    }

    /// The term that the token begins; afterwards the token is its last one.
    fn term_head(&mut self) -> Option<Term> {
        self.state.depth = 1;
        let span = || self.span(self.place());
        match self.token() {
            Token::Null => Some(Term::scalar(regent_core::Value::default(), span())),
            Token::True => Some(Term::scalar(true, span())),
            Token::False => Some(Term::scalar(false, span())),
            Token::Sub | Token::Dot | Token::Number => self.number(),
            Token::String => self.string(),
            Token::TemplatePart | Token::TemplateEnd => self.template(false),
            Token::RawTemplatePart | Token::RawTemplateEnd => self.template(true),
            Token::Ident | Token::Contains => Some(self.var()),
            Token::LBrack => self.array(),
            Token::LBrace => self.set_or_object(),
            Token::LParen => self.parenthesised(),
            _ => {
                self.illegal("");
                None
            }
        }
    }

    fn parenthesised(&mut self) -> Option<Term> {
        let start = self.place().offset;
        self.scan();
        let mut inner = self.infix()?;
        if self.token() != Token::RParen {
            self.error(self.place(), "non-terminated expression");
            return None;
        }
        inner.span = self.with_text(&inner.span, start, self.place().end);
        Some(inner)
    }

    /// A variable; each wildcard gets a name of its own.
    pub(super) fn var(&mut self) -> Term {
        let span = self.span(self.place());
        if self.literal() == "_" {
            return Term::var(self.wildcard(), span);
        }
        Term::var(self.literal(), span)
    }

    /// The next wildcard's name.
    pub(super) fn wildcard(&mut self) -> String {
        let name = format!("${}", self.state.wildcards);
        self.state.wildcards += 1;
        name
    }

    fn finish_term(&mut self, head: Term) -> Option<Term> {
        let start = self.place().offset;
        self.scan_space();
        match self.token() {
            Token::LParen | Token::Dot | Token::LBrack => return self.reference(head, start),
            Token::Whitespace => self.scan(),
            _ => {}
        }
        Some(root_as_reference(head))
    }
}

/// `input` and `data` are references even alone.
pub(super) fn root_as_reference(term: Term) -> Term {
    if term.as_var().is_some_and(|name| matches!(&**name, "input" | "data")) {
        let span = term.span.clone();
        return Term::new(TermKind::Ref(vec![term]), span);
    }
    term
}
