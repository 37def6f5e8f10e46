//! Short ways to write rules.

use regent_core::value::Number;

use crate::syntax::ast::{Body, Expr, ExprKind, Head, Rule, Span, Term, TermKind, With};

fn term(kind: TermKind) -> Term {
    Term::new(kind, Span::default())
}

pub(super) fn text(text: &str) -> Term {
    Term::scalar(text, Span::default())
}

pub(super) fn number(literal: &str) -> Term {
    Term::scalar(Number::parse(literal).expect("a number"), Span::default())
}

pub(super) fn var(name: &str) -> Term {
    Term::var(name, Span::default())
}

pub(super) fn array(items: Vec<Term>) -> Term {
    term(TermKind::Array(items))
}

pub(super) fn set(members: Vec<Term>) -> Term {
    term(TermKind::Set(members))
}

/// A reference; parts that begin with `$` are variables.
pub(super) fn path(parts: &[&str]) -> Term {
    let (head, keys) = parts.split_first().expect("a head");
    let key = |key: &&str| if key.starts_with('$') { var(key) } else { text(key) };
    term(TermKind::Ref(std::iter::once(var(head)).chain(keys.iter().map(key)).collect()))
}

/// `input.a.b` of `a.b`
pub(super) fn input(dotted: &str) -> Term {
    path(&std::iter::once("input").chain(dotted.split('.')).collect::<Vec<_>>())
}

fn expr(kind: ExprKind) -> Expr {
    Expr { kind, negated: false, with: Vec::new(), index: 0, generated: false, span: Span::default() }
}

fn call(operator: &str, operands: Vec<Term>) -> Expr {
    let operator = path(&operator.split('.').collect::<Vec<_>>());
    expr(ExprKind::Call(std::iter::once(operator).chain(operands).collect()))
}

pub(super) fn eq(a: Term, b: Term) -> Expr {
    call("eq", vec![a, b])
}

pub(super) fn member(member: Term, collection: Term) -> Expr {
    call("internal.member_2", vec![member, collection])
}

pub(super) fn glob(pattern: Term, delimiters: Term, value: Term) -> Expr {
    call("glob.match", vec![pattern, delimiters, value])
}

pub(super) fn print(value: Term) -> Expr {
    call("internal.print", vec![value])
}

pub(super) fn defined(reference: Term) -> Expr {
    expr(ExprKind::Term(reference))
}

pub(super) fn negated(expr: Expr) -> Expr {
    Expr { negated: true, ..expr }
}

pub(super) fn with(expr: Expr) -> Expr {
    let with = With { target: input("y"), value: text("b"), span: Span::default() };
    Expr { with: vec![with], ..expr }
}

/// Conditions that no index can do anything with.
pub(super) fn all(count: usize) -> Body {
    (0..count).map(|number| eq(var("a"), var(&format!("b{number}")))).collect()
}

pub(super) fn rule(body: Body) -> Rule {
    giving(Term::scalar(true, Span::default()), body)
}

pub(super) fn giving(value: Term, body: Body) -> Rule {
    let head = Head {
        reference: vec![var("p")],
        args: None,
        key: None,
        value: Some(value),
        assign: true,
        value_is_generated: false,
        span: Span::default(),
    };
    Rule { default: false, head, body, else_branch: None, body_is_generated: false, span: Span::default() }
}

pub(super) fn partial(key: Term, body: Body) -> Rule {
    let mut rule = rule(body);
    (rule.head.key, rule.head.value) = (Some(key), None);
    rule
}

pub(super) fn function(args: Vec<Term>, body: Body) -> Rule {
    let mut rule = rule(body);
    rule.head.args = Some(args);
    rule
}

pub(super) fn default() -> Rule {
    Rule { default: true, ..rule(Vec::new()) }
}

pub(super) fn chain(mut first: Rule, rest: Vec<Rule>) -> Rule {
    let next = rest.into_iter().rev().reduce(|next, before| chain(before, vec![next]));
    first.else_branch = next.map(Box::new);
    first
}
