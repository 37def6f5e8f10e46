//! Rule heads.

use super::term::root_as_reference;
use super::{Parser, Place};
use crate::syntax::ast::{Head, Span, Term, TermKind};
use crate::syntax::text::ref_text;
use crate::syntax::token::Token;

impl Parser {
    /// A head, and whether it says `contains`.
    pub(super) fn head(&mut self, default: bool) -> Option<(Head, bool)> {
        let start = self.place();
        let (mut head, contains) = self.head_parts(default)?;
        head.span = self.span_since(start);
        Some((head, contains))
    }

    fn head_parts(&mut self, default: bool) -> Option<(Head, bool)> {
        let name = self.var();
        let Some(named) = self.finish_head(name) else {
            self.illegal("expected rule head name");
            return None;
        };
        let (reference, args) = self.head_reference(named)?;
        let name = ref_text(&reference);
        let mut head = Head {
            reference,
            args,
            key: None,
            value: None,
            assign: false,
            value_is_generated: false,
            span: Span::default(),
        };
        if self.token() == Token::Contains {
            self.scan_key(&mut head, &name);
            return Some((head, true));
        }
        self.scan_value(&mut head, &name, default);
        let has_args = head.args.as_ref().is_some_and(|args| !args.is_empty());
        if head.value.is_none() && (head.reference.len() != 2 || has_args) {
            head.value_is_generated = true;
            head.value = Some(Term::scalar(true, Span::default()));
        }
        Some((head, false))
    }

    /// What follows `contains`.
    fn scan_key(&mut self, head: &mut Head, name: &str) {
        if head.args.is_some() {
            self.illegal(&format!(
                "the contains keyword can only be used with multi-value rule definitions (e.g., {name} contains <VALUE> {{ ... }})"
            ));
        }
        self.scan();
        head.key = self.infix();
        if head.key.is_none() {
            self.illegal(&format!("expected rule key term (e.g., {name} contains <VALUE> {{ ... }})"));
        }
    }

    /// What follows `=` or `:=`, if one of them stands here.
    fn scan_value(&mut self, head: &mut Head, name: &str, default: bool) {
        head.assign = match self.token() {
            Token::Unify => false,
            Token::Assign => true,
            _ => return,
        };
        self.scan();
        head.value = self.infix();
        if head.value.is_some() {
            return;
        }
        let has_args = head.args.as_ref().is_some_and(|args| !args.is_empty());
        self.illegal(&match (head.assign, has_args, default) {
            (false, ..) => format!("expected rule value term (e.g., {name}[<nil>] = <VALUE> {{ ... }})"),
            (true, true, _) => format!("expected function value term (e.g., {name}(...) := <VALUE> {{ ... }})"),
            (true, _, true) => format!("expected default rule value term (e.g., default {name} := <VALUE>)"),
            (true, ..) => format!("expected rule value term (e.g., {name} := <VALUE> {{ ... }})"),
        });
    }

    /// The name with what is applied to it.
    fn finish_head(&mut self, name: Term) -> Option<Term> {
        let start = self.place().offset;
        self.state.depth = 1;
        self.scan_space();
        match self.token() {
            Token::Add
            | Token::Sub
            | Token::Mul
            | Token::Quo
            | Token::Rem
            | Token::And
            | Token::Or
            | Token::Equal
            | Token::Neq
            | Token::Gt
            | Token::Gte
            | Token::Lt
            | Token::Lte => self.illegal(""),
            Token::Whitespace => self.scan(),
            _ => {}
        }
        match self.token() {
            Token::LParen | Token::Dot | Token::LBrack => self.reference(name, start),
            _ => Some(root_as_reference(name)),
        }
    }

    /// The reference and the parameters of a head.
    fn head_reference(&mut self, named: Term) -> Option<(Vec<Term>, Option<Vec<Term>>)> {
        let (reference, args) = match named.kind {
            TermKind::Var(_) => (vec![named], None),
            TermKind::Ref(reference) => (reference, None),
            TermKind::Call(mut terms) => {
                let args = terms.split_off(1.min(terms.len()));
                match terms.pop()?.kind {
                    TermKind::Ref(reference) => (reference, Some(args)),
                    _ => return None,
                }
            }
            _ => return None,
        };
        let first = reference.first()?;
        if first.as_var().is_none() {
            let Span { start, end, row, col, .. } = first.span;
            let place = Place { offset: start as usize, end: end as usize, row, col };
            let message = format!("rule head ref {} invalid", ref_text(&reference));
            self.error(place, message);
            return None;
        }
        Some((reference, args))
    }
}
