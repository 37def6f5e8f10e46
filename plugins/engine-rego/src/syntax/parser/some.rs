//! `some` and `every`.

use super::{Parser, expression};
use crate::syntax::ast::{Every, Expr, ExprKind, Term, TermKind};
use crate::syntax::token::Token;

/// The operands of `x in xs` or `k, v in xs`.
struct Membership {
    key: Option<Term>,
    value: Term,
    domain: Term,
}

impl Parser {
    /// `some x, y`, `some x in xs`, `some k, v in xs`
    pub(super) fn some(&mut self) -> Option<Expr> {
        let start = self.save();
        let span = self.span(self.place());
        self.scan();
        if let Some(term) = self.infix()
            && let TermKind::Call(terms) = &term.kind
        {
            match membership_arity(terms) {
                Some(true) => {}
                Some(false) => {
                    self.illegal("illegal domain");
                    return None;
                }
                None => {
                    self.illegal("expected `x in xs` or `x, y in xs` expression");
                    return None;
                }
            }
            let mut expr = expression(ExprKind::Some(vec![term]), span);
            self.modifiers(&mut expr)?;
            return Some(expr);
        }
        self.restore(start);
        if self.may_hint() {
            let scan_infix = |parser: &mut Self| {
                parser.scan();
                parser.infix()
            };
            let is_membership =
                |term: &Term| matches!(&term.kind, TermKind::Call(terms) if membership_arity(terms).is_some());
            if self.would_parse(scan_infix, is_membership) {
                self.hint("`import future.keywords.in` for `some x in xs` expressions");
            }
        }
        let variables = self.declared()?;
        self.state.depth = 1;
        Some(expression(ExprKind::Some(variables), span))
    }

    /// The variables behind `some`.
    fn declared(&mut self) -> Option<Vec<Term>> {
        let mut variables = Vec::new();
        loop {
            self.scan();
            if self.token() != Token::Ident {
                self.illegal("expected var");
                return None;
            }
            variables.push(self.var());
            self.scan();
            if self.token() != Token::Comma {
                return Some(variables);
            }
        }
    }

    /// `every x in xs { … }`, `every k, v in xs { … }`
    pub(super) fn every(&mut self) -> Option<Expr> {
        let span = self.span(self.place());
        self.scan();
        let term = self.infix()?;
        let depth = self.state.depth;
        let Membership { key, value, domain } = self.membership_parts(term)?;
        if key.as_ref().is_some_and(|key| key.as_var().is_none()) {
            self.illegal("expected key to be a variable");
            return None;
        }
        if value.as_var().is_none() {
            self.illegal("expected value to be a variable");
            return None;
        }
        if self.token() != Token::LBrace {
            self.illegal("missing body");
            return None;
        }
        self.scan();
        let body = self.body(Token::RBrace)?;
        self.state.depth = 1 + depth.max(self.state.depth);
        self.scan();
        let every = Every { key, value, domain, body, span: span.clone() };
        let mut expr = expression(ExprKind::Every(Box::new(every)), span);
        self.modifiers(&mut expr)?;
        Some(expr)
    }

    fn membership_parts(&mut self, term: Term) -> Option<Membership> {
        let TermKind::Call(mut terms) = term.kind else {
            self.illegal("expected `x[, y] in xs { ... }` expression");
            return None;
        };
        match membership_arity(&terms) {
            Some(true) => {}
            Some(false) => {
                self.illegal("illegal domain");
                return None;
            }
            None => {
                self.illegal("expected `x[, y] in xs { ... }` expression");
                return None;
            }
        }
        let domain = terms.pop()?;
        let value = terms.pop()?;
        let key = if terms.len() > 1 { terms.pop() } else { None };
        Some(Membership { key, value, domain })
    }
}

/// Whether a call is one of `in`, and if so whether it has as many operands as the text form makes.
fn membership_arity(terms: &[Term]) -> Option<bool> {
    let Some([root, name]) = terms.first().and_then(Term::as_ref) else {
        return None;
    };
    if root.as_var().is_none_or(|root| &**root != "internal") {
        return None;
    }
    match name.as_text()? {
        "member_2" => Some(terms.len() == 3),
        "member_3" => Some(terms.len() == 4),
        _ => None,
    }
}
