//! Operators between terms, by precedence.

use super::{MAX_DEPTH, Parser, Place};
use crate::syntax::ast::{Span, Term, TermKind};
use crate::syntax::token::Token;

/// The levels of precedence, the tightest last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Relation,
    Or,
    And,
    Sum,
    Product,
}

impl Level {
    fn tighter(self) -> Option<Self> {
        Some(match self {
            Self::Relation => Self::Or,
            Self::Or => Self::And,
            Self::And => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product => return None,
        })
    }

    fn has(self, token: Token) -> bool {
        match self {
            Self::Relation => {
                matches!(token, Token::Equal | Token::Neq | Token::Lt | Token::Gt | Token::Lte | Token::Gte)
            }
            Self::Or => token == Token::Or,
            Self::And => token == Token::And,
            Self::Sum => matches!(token, Token::Add | Token::Sub),
            Self::Product => matches!(token, Token::Mul | Token::Quo | Token::Rem),
        }
    }
}

impl Parser {
    /// A term with any operators but assignment and unification, where `k, v in x` may stand.
    pub(super) fn infix(&mut self) -> Option<Term> {
        self.membership(true)
    }

    /// As [`Self::infix`] where commas part terms.
    pub(super) fn infix_in_list(&mut self) -> Option<Term> {
        self.membership(false)
    }

    /// The operator of a call, if the token is one of them.
    pub(super) fn operator(&mut self, wanted: impl Fn(Token) -> bool) -> Option<Term> {
        let token = self.token();
        wanted(token).then(|| self.take_operator(&[token.as_str()]))
    }

    /// Makes a reference of the token, with the token's place throughout.
    fn take_operator(&mut self, path: &[&str]) -> Term {
        let span = self.span(self.place());
        let parts = path.iter().enumerate().map(|(index, name)| match index {
            0 => Term::var(*name, span.clone()),
            _ => Term::scalar(*name, span.clone()),
        });
        let operator = Term::new(TermKind::Ref(parts.collect()), span.clone());
        self.scan();
        operator
    }

    /// `x in y`, `k, v in y`, chained to the left.
    fn membership(&mut self, pairs: bool) -> Option<Term> {
        let start = self.place().offset;
        let mut left = self.level(Level::Relation, start)?;
        loop {
            let depth = self.state.depth;
            if pairs && self.token() == Token::Comma {
                let here = self.save();
                match self.pair_in(left, start, depth) {
                    Ok(call) => {
                        left = call;
                        if self.token() == Token::In {
                            continue;
                        }
                        return self.within_depth(left);
                    }
                    Err(back) => {
                        left = back;
                        self.restore(here);
                    }
                }
            }
            self.take_keyword_of_reference();
            if self.token() != Token::In {
                return Some(left);
            }
            let operator = self.take_operator(&["internal", "member_2"]);
            let right_start = self.place().offset;
            let Some(right) = self.level(Level::Relation, right_start) else {
                return Some(left);
            };
            self.state.depth = 1 + self.state.depth.max(depth);
            left = self.call(start, left, |left| vec![operator, left, right]);
            if self.token() != Token::In {
                return self.within_depth(left);
            }
            left = self.within_depth(left)?;
        }
    }

    /// What follows the first operand of `k, v in x`, or that operand back.
    fn pair_in(&mut self, key: Term, start: usize, key_depth: usize) -> Result<Term, Term> {
        self.scan();
        let Some(value) = self.level(Level::Relation, start) else {
            return Err(key);
        };
        let depth = self.state.depth.max(key_depth);
        if self.token() != Token::In {
            return Err(key);
        }
        let operator = self.take_operator(&["internal", "member_3"]);
        let right_start = self.place().offset;
        let Some(domain) = self.level(Level::Relation, right_start) else {
            return Err(key);
        };
        self.state.depth = 1 + self.state.depth.max(depth);
        Ok(self.call(start, key, |key| vec![operator, key, value, domain]))
    }

    fn level(&mut self, level: Level, start: usize) -> Option<Term> {
        let mut left = match level.tighter() {
            Some(tighter) => self.level(tighter, start),
            None => self.term(),
        }?;
        loop {
            let depth = self.state.depth;
            let Some(operator) = self.operator(|token| level.has(token)) else {
                return Some(left);
            };
            let right_start = self.place().offset;
            let right = match level.tighter() {
                Some(tighter) => self.level(tighter, right_start),
                None => self.term(),
            };
            let Some(right) = right else {
                return Some(left);
            };
            self.state.depth = 1 + self.state.depth.max(depth);
            left = self.call(start, left, |left| vec![operator, left, right]);
            left = self.within_depth(left)?;
        }
    }

    /// A call at the place of its left operand, with the text from `start` to the last token.
    fn call(&self, start: usize, left: Term, terms: impl FnOnce(Term) -> Vec<Term>) -> Term {
        let Span { row, col, .. } = left.span;
        let span = self.span_of(Place { row, col, ..Place::default() }, start, self.state.last_end);
        Term::new(TermKind::Call(terms(left)), span)
    }

    fn within_depth(&mut self, term: Term) -> Option<Term> {
        if self.state.depth > MAX_DEPTH {
            self.error_too_deep();
            return None;
        }
        Some(term)
    }
}
