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
        match self.token() {
            Token::Contains => {
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
                return Some((head, true));
            }
            Token::Unify => {
                self.scan();
                head.value = self.infix();
                if head.value.is_none() {
                    self.illegal(&format!("expected rule value term (e.g., {name}[<nil>] = <VALUE> {{ ... }})"));
                }
            }
            Token::Assign => {
                self.scan();
                head.assign = true;
                head.value = self.infix();
                if head.value.is_none() {
                    let note = if head.args.as_ref().is_some_and(|args| !args.is_empty()) {
                        format!("expected function value term (e.g., {name}(...) := <VALUE> {{ ... }})")
                    } else if default {
                        format!("expected default rule value term (e.g., default {name} := <VALUE>)")
                    } else {
                        format!("expected rule value term (e.g., {name} := <VALUE> {{ ... }})")
                    };
                    self.illegal(&note);
                }
            }
            _ => {}
        }
        let has_args = head.args.as_ref().is_some_and(|args| !args.is_empty());
        if head.value.is_none() && (head.reference.len() != 2 || has_args) {
            head.value_is_generated = true;
            head.value = Some(Term::scalar(true, Span::default()));
        }
        Some((head, false))
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
