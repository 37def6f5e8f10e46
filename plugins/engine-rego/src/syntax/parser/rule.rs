//! Rules.

use std::collections::HashSet;

use super::{Parser, true_body};
use crate::syntax::ast::{Body, Expr, ExprKind, Head, Rule, Span, Term, TermKind};
use crate::syntax::depth::deeper;
use crate::syntax::kinds::ref_is_ground;
use crate::syntax::token::Token;
use crate::syntax::visit::{Visit, VisitMut};

/// A rule with what its text said and its tree does not.
pub(in crate::syntax) struct ParsedRule {
    pub(super) rule: Rule,
    /// Of the rule itself and then of each `else`.
    pub(super) words: Vec<Words>,
}

/// The words of v1 that a rule's head has used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Words {
    pub(super) has_if: bool,
    pub(super) has_contains: bool,
}

/// A body, and whether the text has it.
enum RuleBody {
    Written(Body),
    Generated,
}

impl Parser {
    /// A rule and those that share its head: `p { … } { … }`.
    pub(super) fn rules(&mut self) -> Option<Vec<ParsedRule>> {
        let start = self.place();
        self.take_keyword_of_reference();
        let default = self.token() == Token::Default;
        if default {
            self.scan();
            self.take_keyword_of_reference();
        }
        if self.token() != Token::Ident {
            return None;
        }
        let (mut head, has_contains) = self.head(default)?;
        let start_span = self.span(start);
        if default {
            let rule = self.default_rule(head, start_span)?;
            return Some(vec![ParsedRule { rule, words: vec![Words { has_contains, has_if: false }] }]);
        }
        let has_if = self.token() == Token::If;
        settle_two_part_head(&mut head, has_if, has_contains);
        let words = Words { has_if, has_contains };
        let body = match self.rule_body(has_if, has_contains)? {
            RuleBody::Written(body) => body,
            RuleBody::Generated => {
                let span = head.span.clone();
                let body = true_body(start_span.clone(), start_span);
                let rule = Rule { default, head, body, else_branch: None, body_is_generated: true, span };
                return Some(vec![ParsedRule { rule, words: vec![words] }]);
            }
        };
        let mut all_words = vec![words];
        let else_branch = self.else_of(&head, &mut all_words)?;
        let span = self.span_since(start);
        let rule = Rule { default, head, body, else_branch, body_is_generated: false, span };
        self.more_bodies(ParsedRule { rule, words: all_words })
    }

    fn default_rule(&mut self, head: Head, span: Span) -> Option<Rule> {
        self.check_default_value(&head, &span)?;
        self.check_default_args(&head, &span)?;
        let body = true_body(span.clone(), span.clone());
        Some(Rule { default: true, head, body, else_branch: None, body_is_generated: false, span })
    }

    fn rule_body(&mut self, has_if: bool, has_contains: bool) -> Option<RuleBody> {
        if has_if {
            self.scan();
            let start = self.save();
            if let Some(body) = self.single_body() {
                return Some(RuleBody::Written(body));
            }
            self.restore(start);
        } else if self.token() != Token::LBrace {
            return has_contains.then_some(RuleBody::Generated);
        }
        self.scan();
        let body = self.body(Token::RBrace)?;
        self.scan();
        Some(RuleBody::Written(body))
    }

    /// The one expression behind `if`. A set is taken for a body in braces: as an expression it would say nothing.
    fn single_body(&mut self) -> Option<Body> {
        let expr = self.literal_expr()?;
        let is_set = matches!(&expr.kind, ExprKind::Term(Term { kind: TermKind::Set(_), .. }));
        (!is_set).then(|| vec![expr])
    }

    /// The `else` behind a rule's body, if there is one.
    #[expect(clippy::option_option, reason = "nothing because of an error, or no else")]
    fn else_of(&mut self, head: &Head, all_words: &mut Vec<Words>) -> Option<Option<Box<Rule>>> {
        if self.token() != Token::Else || self.take_keyword_of_reference() {
            return Some(None);
        }
        if head.reference.len() > 1 && !ref_is_ground(&head.reference) {
            self.error(self.place(), "else keyword cannot be used on rules with variables in head");
            return None;
        }
        if head.key.is_some() {
            self.error(self.place(), "else keyword cannot be used on multi-value rules");
            return None;
        }
        Some(Some(Box::new(self.else_branch(head, all_words)?)))
    }

    fn else_branch(&mut self, of: &Head, all_words: &mut Vec<Words>) -> Option<Rule> {
        let start = self.place();
        let mut head = of.clone();
        head.value_is_generated = false;
        self.rename_wildcards(&mut head);
        head.span = self.span(start);
        self.scan();
        match self.token() {
            Token::LBrace | Token::If => {
                head.value_is_generated = true;
                head.value = Some(Term::scalar(true, Span::default()));
            }
            token @ (Token::Assign | Token::Unify) => {
                head.assign = token == Token::Assign;
                self.scan();
                head.value = Some(self.infix()?);
                head.span = self.span_since(start);
            }
            _ => {
                self.illegal("expected else value term or rule body");
                return None;
            }
        }
        let has_if = self.token() == Token::If;
        all_words.push(Words { has_if, has_contains: false });
        if !has_if && self.token() != Token::LBrace {
            let span = self.span_since(start);
            let body = true_body(span.clone(), span.clone());
            return Some(Rule { default: false, head, body, else_branch: None, body_is_generated: true, span });
        }
        let (mut body, relocate) = self.else_body(has_if)?;
        let else_branch = if self.token() == Token::Else {
            let next = self.nested(|parser| parser.else_branch(of, all_words))?;
            Some(Box::new(next))
        } else {
            None
        };
        let span = self.span_since(start);
        if relocate {
            Relocate(&span).body(&mut body);
        }
        Some(Rule { default: false, head, body, else_branch, body_is_generated: false, span })
    }

    /// The body of an `else`, and whether everything in it is located at the `else`, as one without braces is.
    fn else_body(&mut self, has_if: bool) -> Option<(Body, bool)> {
        if has_if {
            self.scan();
        }
        match self.token() {
            Token::LBrace => {
                self.scan();
                let body = self.body(Token::RBrace)?;
                self.scan();
                Some((body, false))
            }
            Token::Eof => {
                self.illegal("rule body expected");
                None
            }
            _ => Some((vec![self.literal_expr()?], true)),
        }
    }

    /// Each further body makes a rule with the same head, located at that body.
    fn more_bodies(&mut self, first: ParsedRule) -> Option<Vec<ParsedRule>> {
        let mut rules = vec![first];
        while self.token() == Token::LBrace {
            let first = &rules[0];
            if first.rule.else_branch.is_some() {
                self.error(self.place(), "expected else keyword");
                return None;
            }
            let (mut head, words) = (first.rule.head.clone(), first.words.clone());
            let start = self.place();
            self.scan();
            let body = self.body(Token::RBrace)?;
            self.scan();
            let span = self.span_since(start);
            self.rename_wildcards(&mut head);
            Relocate(&span).head(&mut head);
            let rule = Rule { default: false, head, body, else_branch: None, body_is_generated: false, span };
            rules.push(ParsedRule { rule, words });
        }
        Some(rules)
    }

    /// Gives wildcards among the parameters of a repeated head names of their own.
    fn rename_wildcards(&mut self, head: &mut Head) {
        for arg in head.args.iter_mut().flatten() {
            if arg.as_var().is_some_and(|name| name.starts_with('$')) {
                arg.kind = TermKind::Var(self.wildcard().into());
            }
        }
    }

    fn check_default_value(&mut self, head: &Head, span: &Span) -> Option<()> {
        let place = super::Place { offset: span.start as usize, row: span.row, col: span.col, end: 0 };
        let Some(value) = &head.value else {
            self.error(place, "illegal default rule (must have a value)");
            return None;
        };
        let mut unfit = Unfit(Vec::new());
        unfit.term(value);
        for kind in &unfit.0 {
            self.error(place, format!("illegal default rule (value cannot contain {kind})"));
        }
        unfit.0.is_empty().then_some(())
    }

    fn check_default_args(&mut self, head: &Head, span: &Span) -> Option<()> {
        let place = super::Place { offset: span.start as usize, row: span.row, col: span.col, end: 0 };
        let mut seen = HashSet::new();
        let mut valid = Some(());
        for arg in head.args.iter().flatten() {
            let complaint = match arg.as_var() {
                None => format!("cannot contain {}", arg.kind_name()),
                Some(name) if !seen.insert(name) => format!("cannot be repeated {name}"),
                Some(_) => continue,
            };
            self.error(place, format!("illegal default rule (arguments {complaint})"));
            valid = None;
        }
        valid
    }
}

/// `p[x]` and `p.q`: what they mean depends on what follows.
fn settle_two_part_head(head: &mut Head, has_if: bool, has_contains: bool) {
    let has_args = head.args.as_ref().is_some_and(|args| !args.is_empty());
    if has_contains || head.reference.len() != 2 {
        return;
    }
    let last = head.reference[1].clone();
    if has_if {
        let may_vary = !last.is_ground() || last.as_ref().is_some();
        if may_vary && !has_args {
            head.key = Some(last);
        }
        if head.value.is_none() {
            head.value_is_generated = true;
            head.value = Some(Term::scalar(true, head.span.clone()));
        }
    } else if !has_args {
        head.key = Some(last);
        if head.value.is_none() {
            head.reference.truncate(1);
        }
    }
}

/// Collects what the value of a default rule must not hold; comprehensions may.
struct Unfit(Vec<&'static str>);

impl Visit for Unfit {
    fn term(&mut self, term: &Term) {
        match &term.kind {
            TermKind::Ref(_) | TermKind::Var(_) | TermKind::Call(_) => self.0.push(term.kind_name()),
            TermKind::ArrayComprehension(_) | TermKind::SetComprehension(_) | TermKind::ObjectComprehension(_) => {}
            _ => deeper(|| self.walk_term(term)),
        }
    }
}

/// Moves everything to one place.
struct Relocate<'a>(&'a Span);

impl Relocate<'_> {
    fn head(&mut self, head: &mut Head) {
        head.span = self.0.clone();
        let args = head.args.iter_mut().flatten();
        for term in head.reference.iter_mut().chain(args).chain(&mut head.key).chain(&mut head.value) {
            self.term(term);
        }
    }
}

impl VisitMut for Relocate<'_> {
    fn expr(&mut self, expr: &mut Expr) {
        expr.span = self.0.clone();
        if let ExprKind::Every(every) = &mut expr.kind {
            every.span = self.0.clone();
        }
        self.walk_expr(expr);
    }

    fn with(&mut self, with: &mut crate::syntax::ast::With) {
        with.span = self.0.clone();
        self.walk_with(with);
    }

    fn term(&mut self, term: &mut Term) {
        term.span = self.0.clone();
        deeper(|| self.walk_term(term));
    }
}
