//! Arrays, sets, objects, and comprehensions of each.

use super::{Parser, State};
use crate::syntax::ast::{Body, Comprehension, ObjectComprehension, Term, TermKind};
use crate::syntax::token::Token;

impl Parser {
    /// `[…]`
    pub(super) fn array(&mut self) -> Option<Term> {
        let start = self.place();
        let kind = self.array_kind()?;
        self.composite(kind, start)
    }

    /// `{…}`
    pub(super) fn set_or_object(&mut self) -> Option<Term> {
        let start = self.place();
        let kind = self.set_or_object_kind()?;
        self.composite(kind, start)
    }

    /// A term from its first token to the current one.
    fn composite(&mut self, kind: TermKind, start: super::Place) -> Option<Term> {
        let span = self.span_of(start, start.offset, self.place().end);
        let depth = self.state.depth + 1;
        self.set_depth(depth).then(|| Term::new(kind, span))
    }

    fn array_kind(&mut self) -> Option<TermKind> {
        self.scan();
        self.state.depth = 0;
        if self.token() == Token::RBrack {
            return Some(TermKind::Array(Vec::new()));
        }
        let may_comprehend = !self.skip_leading_comma();
        let start = self.save();
        let head = self.term()?;
        match self.token() {
            Token::RBrack => return Some(TermKind::Array(vec![head])),
            Token::Comma => {
                self.scan();
                return self.list(Token::RBrack, vec![head]).map(TermKind::Array);
            }
            Token::Or if may_comprehend => {
                if let Some(parts) = self.comprehension(start, head, Token::RBrack)? {
                    return Some(TermKind::ArrayComprehension(Box::new(parts)));
                }
            }
            _ => self.restore_before(start, head),
        }
        self.list(Token::RBrack, Vec::new()).map(TermKind::Array)
    }

    fn set_or_object_kind(&mut self) -> Option<TermKind> {
        self.scan();
        self.state.depth = 0;
        if self.token() == Token::RBrace {
            return Some(TermKind::Object(Vec::new()));
        }
        let may_comprehend = !self.skip_leading_comma();
        let start = self.save();
        // A single term first, so that `{x | …}` is a comprehension rather than a set of one union.
        let head = self.term()?;
        match self.token() {
            Token::Or if may_comprehend => {
                return match self.comprehension(start, head, Token::RBrace)? {
                    Some(parts) => Some(TermKind::SetComprehension(Box::new(parts))),
                    None => self.list(Token::RBrace, Vec::new()).map(TermKind::Set),
                };
            }
            Token::RBrace | Token::Comma => return self.set_behind(head),
            Token::Colon => return self.object(head, may_comprehend),
            _ => self.restore_before(start, head),
        }
        let head = self.infix_in_list()?;
        match self.token() {
            Token::RBrace | Token::Comma => self.set_behind(head),
            Token::Colon => self.object(head, may_comprehend),
            _ => {
                self.illegal("non-terminated set");
                None
            }
        }
    }

    /// The rest of a set behind its first member.
    fn set_behind(&mut self, head: Term) -> Option<TermKind> {
        if self.token() == Token::Comma {
            self.scan();
            return self.list(Token::RBrace, vec![head]).map(TermKind::Set);
        }
        Some(TermKind::Set(vec![head]))
    }

    /// The rest of an object behind its first key, from the colon on.
    fn object(&mut self, key: Term, may_comprehend: bool) -> Option<TermKind> {
        let key_depth = self.state.depth;
        self.scan();
        let start = self.save();
        let value = self.term()?;
        self.state.depth = self.state.depth.max(key_depth);
        match self.token() {
            Token::RBrace | Token::Comma if may_comprehend => {
                let entries = self.object_behind((key, value));
                if entries.is_none() {
                    self.restore(start);
                    self.illegal("non-terminated object");
                }
                return entries;
            }
            Token::Or if may_comprehend => {
                if let Ok(body) = self.attempt_body(&start, Token::RBrace, |_| true) {
                    return Some(TermKind::ObjectComprehension(Box::new(ObjectComprehension { key, value, body })));
                }
                self.restore_before(start, value);
            }
            _ => self.restore_before(start, value),
        }
        let value = self.infix_in_list()?;
        self.state.depth = self.state.depth.max(key_depth);
        if matches!(self.token(), Token::RBrace | Token::Comma) {
            return self.object_behind((key, value));
        }
        self.illegal("non-terminated object");
        None
    }

    /// The rest of an object behind its first entry.
    fn object_behind(&mut self, first: (Term, Term)) -> Option<TermKind> {
        let mut entries = vec![first];
        if self.token() == Token::Comma {
            self.scan();
            self.entries(&mut entries)?;
        }
        Some(TermKind::Object(entries))
    }

    /// The entries up to the closing brace.
    fn entries(&mut self, entries: &mut Vec<(Term, Term)>) -> Option<()> {
        let mut depth = self.state.depth;
        while self.token() != Token::RBrace {
            let key = self.infix_in_list()?;
            depth = depth.max(self.state.depth);
            if self.token() != Token::Colon {
                self.illegal("expected \":\"");
                return None;
            }
            self.scan();
            let value = self.infix_in_list()?;
            depth = depth.max(self.state.depth);
            entries.push((key, value));
            self.comma_or(Token::RBrace)?;
        }
        self.state.depth = depth;
        Some(())
    }

    /// The terms up to the closing token, behind those there are already.
    pub(super) fn list(&mut self, end: Token, mut terms: Vec<Term>) -> Option<Vec<Term>> {
        let mut depth = self.state.depth;
        while self.token() != end {
            let term = self.infix_in_list()?;
            depth = depth.max(self.state.depth);
            terms.push(term);
            self.comma_or(end)?;
        }
        self.state.depth = depth;
        Some(terms)
    }

    /// Steps over a comma unless the list ends here.
    fn comma_or(&mut self, end: Token) -> Option<()> {
        if self.token() == Token::Comma {
            self.scan();
        } else if self.token() != end {
            self.illegal(&format!("expected \",\" or \"{}\"", end.as_str()));
            return None;
        }
        Some(())
    }

    /// OPA allows one comma before the first item; then it is no comprehension.
    fn skip_leading_comma(&mut self) -> bool {
        let found = self.token() == Token::Comma;
        if found {
            self.scan();
        }
        found
    }

    /// An array or set comprehension behind its head. If its body does not parse but a comma comes, it is no
    /// comprehension after all, and the parser is back before the head.
    #[expect(clippy::option_option, reason = "nothing at all, or nothing of this kind")]
    fn comprehension(&mut self, start: State, head: Term, end: Token) -> Option<Option<Comprehension>> {
        match self.attempt_body(&start, end, |token| token == Token::Comma) {
            Ok(body) => Some(Some(Comprehension { term: head, body })),
            Err(Fallback(false)) => None,
            Err(Fallback(true)) => {
                self.restore_before(start, head);
                Some(None)
            }
        }
    }

    /// The body of what begins like a comprehension. If it does not parse and stops at a token that allows to fall back
    /// to another reading, the parser is back where the body was to begin.
    fn attempt_body(
        &mut self,
        start: &State,
        end: Token,
        may_fall_back: impl Fn(Token) -> bool,
    ) -> Result<Body, Fallback> {
        if self.no_comprehension.contains(&start.place.offset) {
            return Err(Fallback(true));
        }
        let behind = self.save();
        self.scan();
        if let Some(body) = self.body(end) {
            self.state.depth = self.state.depth.max(behind.depth);
            return Ok(body);
        }
        if !may_fall_back(self.token()) {
            return Err(Fallback(false));
        }
        self.no_comprehension.insert(start.place.offset);
        self.restore(behind);
        Err(Fallback(true))
    }
}

/// A body did not parse; whether to try another reading.
struct Fallback(bool);
