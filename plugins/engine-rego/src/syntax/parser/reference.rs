//! What is applied to a term: names, keys and arguments.

use super::{MAX_DEPTH, Parser};
use crate::syntax::ast::{Span, Term, TermKind};
use crate::syntax::token::Token;

impl Parser {
    /// The reference or call that goes on behind its head. `start` is where its text begins for OPA, which is the last
    /// token of the head.
    pub(super) fn reference(&mut self, head: Term, start: usize) -> Option<Term> {
        let span = head.span.clone();
        if !may_be_head(&head) {
            let place = super::Place { offset: span.start as usize, row: span.row, col: span.col, end: 0 };
            self.error(place, format!("illegal ref (head cannot be {})", head.kind_name()));
        }
        let mut depth = self.state.depth;
        let mut parts = vec![head];
        loop {
            if parts.len() > MAX_DEPTH {
                self.error_too_deep();
                return None;
            }
            match self.token() {
                Token::Dot => {
                    self.scan_space();
                    if self.token() != Token::Ident && !self.is_key() {
                        self.illegal("expected identifier");
                        return None;
                    }
                    parts.push(Term::scalar(self.literal(), self.span(self.place())));
                    self.scan_space();
                }
                Token::LBrack => {
                    parts.push(self.key()?);
                    depth = depth.max(self.state.depth);
                }
                Token::LParen => return self.call_of(parts, &span, start, depth),
                other => {
                    let end = self.state.last_end;
                    if other == Token::Whitespace {
                        self.scan();
                    }
                    let term = Term::new(TermKind::Ref(parts), self.with_text(&span, start, end));
                    return self.set_depth(depth + 1).then_some(term);
                }
            }
        }
    }

    /// `[key]`
    fn key(&mut self) -> Option<Term> {
        self.scan();
        let key = self.infix()?;
        if self.token() != Token::RBrack {
            self.illegal("expected [");
            return None;
        }
        self.scan_space();
        Some(key)
    }

    /// The call of what has been read so far, and what is applied to its result.
    fn call_of(&mut self, operator: Vec<Term>, span: &Span, start: usize, depth: usize) -> Option<Term> {
        let operator = Term::new(TermKind::Ref(operator), self.with_text(span, start, self.place().offset));
        let (mut term, end) = self.arguments(operator)?;
        term.span = self.with_text(span, start, end);
        if !self.set_depth(1 + depth.max(self.state.depth)) {
            return None;
        }
        match self.token() {
            Token::Whitespace => self.scan(),
            Token::Dot | Token::LBrack => term = self.nested(|parser| parser.reference(term, start))?,
            _ => {}
        }
        term.span = self.with_text(span, start, self.state.last_end);
        Some(term)
    }

    /// `(arguments)`, and where the text of the call ends.
    fn arguments(&mut self, operator: Term) -> Option<(Term, usize)> {
        self.scan();
        self.state.depth = 0;
        let is_set = matches!(operator.as_ref(), Some([name]) if name.as_var().is_some_and(|name| &**name == "set"));
        let span = operator.span.clone();
        let (kind, end) = if self.token() == Token::RParen {
            let kind = if is_set { TermKind::Set(Vec::new()) } else { TermKind::Call(vec![operator]) };
            (kind, self.place().end)
        } else {
            let terms = self.list(Token::RParen, vec![operator])?;
            (TermKind::Call(terms), self.place().end)
        };
        self.scan_space();
        Some((Term::new(kind, span), end))
    }
}

fn may_be_head(term: &Term) -> bool {
    !matches!(term.kind, TermKind::Scalar(_) | TermKind::Ref(_) | TermKind::Template(_))
}
