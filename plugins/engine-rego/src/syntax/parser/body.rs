//! Bodies: expressions one after another, with their modifiers.

use super::{Parser, append, expression};
use crate::syntax::ast::{Body, Expr, ExprKind, TermKind, With};
use crate::syntax::token::Token;

impl Parser {
    /// The expressions up to a closing token, which is not stepped over.
    pub(super) fn body(&mut self, end: Token) -> Option<Body> {
        self.nested(|parser| parser.query(false, end))
    }

    /// The expressions up to a token; or as many as semicolons connect.
    pub(super) fn query(&mut self, only_connected: bool, end: Token) -> Option<Body> {
        if self.token() == end {
            self.error(self.place(), "found empty body");
            return None;
        }
        let mut body = Body::new();
        let mut depth = 0;
        loop {
            let expr = self.literal_expr()?;
            depth = depth.max(self.state.depth);
            append(&mut body, expr);
            if self.token() == Token::Semicolon {
                self.scan();
            } else if self.token() == end || only_connected {
                return self.set_depth(depth + 1).then_some(body);
            } else if !self.state.skipped_newline {
                if !self.has_errors() {
                    self.illegal(&format!("expected \\n or ; or {}", end.as_str()));
                }
                return None;
            }
        }
    }

    /// One expression of a body.
    pub(super) fn literal_expr(&mut self) -> Option<Expr> {
        let start = self.place();
        let mut expr = self.any_expr()?;
        expr.span = self.span_since(start);
        Some(expr)
    }

    fn any_expr(&mut self) -> Option<Expr> {
        if self.take_keyword_of_reference() {
            return self.plain(false);
        }
        let negated = self.token() == Token::Not;
        if negated {
            self.scan();
        }
        match self.token() {
            Token::Some if negated => {
                self.illegal("illegal negation of 'some'");
                None
            }
            Token::Some => self.some(),
            Token::Every if negated => {
                self.illegal("illegal negation of 'every'");
                None
            }
            Token::Every => self.every(),
            _ => self.plain(negated),
        }
    }

    /// Neither `some` nor `every`.
    fn plain(&mut self, negated: bool) -> Option<Expr> {
        let start = self.may_hint().then(|| self.save());
        let mut expr = self.equation()?;
        expr.negated = negated;
        self.modifiers(&mut expr)?;
        if let Some(start) = start
            && matches!(&expr.kind, ExprKind::Term(term) if term.as_var().is_some_and(|name| &**name == "every"))
        {
            let here = self.save();
            self.restore(start);
            let hint = self.would_parse(Self::every, |_| true);
            self.restore(here);
            if hint {
                self.hint("`import future.keywords.every` for `every x in xs { ... }` expressions");
            }
        }
        Some(expr)
    }

    /// Terms with operators, at most one of them `:=` or `=`.
    fn equation(&mut self) -> Option<Expr> {
        let left = self.infix()?;
        let depth = self.state.depth;
        let span = left.span.clone();
        let kind = if let Some(operator) = self.operator(|token| matches!(token, Token::Assign | Token::Unify)) {
            let right = self.infix()?;
            self.state.depth = depth.max(self.state.depth);
            ExprKind::Call(vec![operator, left, right])
        } else {
            match left.kind {
                TermKind::Call(terms) => ExprKind::Call(terms),
                _ => ExprKind::Term(left),
            }
        };
        Some(expression(kind, span))
    }

    /// The `with` modifiers, if any.
    pub(super) fn modifiers(&mut self, expr: &mut Expr) -> Option<()> {
        let mut depth = self.state.depth;
        while self.token() == Token::With {
            expr.with.push(self.with(&mut depth)?);
        }
        self.state.depth = depth;
        Some(())
    }

    fn with(&mut self, depth: &mut usize) -> Option<With> {
        let start = self.place();
        self.scan();
        if self.token() != Token::Ident {
            self.illegal("expected ident");
            return None;
        }
        let target = self.term()?;
        *depth = self.state.depth.max(*depth);
        if !matches!(target.kind, TermKind::Ref(_) | TermKind::Var(_)) {
            self.illegal("expected with target path");
        }
        if self.token() != Token::As {
            self.illegal("expected as keyword");
            return None;
        }
        self.scan();
        let value = self.infix()?;
        *depth = self.state.depth.max(*depth);
        Some(With { target, value, span: self.span_since(start) })
    }
}
