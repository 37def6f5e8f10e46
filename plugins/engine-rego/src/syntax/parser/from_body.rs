//! Statements that parse as an expression and are meant as a rule: `p := 1`, `f(x) = y`, `p.q.r`.

use super::rule::{ParsedRule, Words};
use super::true_body;
use crate::syntax::ast::{Expr, ExprKind, Head, Rule, Span, Term, TermKind};
use crate::syntax::text::ref_text;
use regent_builtins::is_stock;

/// The rule that a body stands for.
///
/// # Errors
/// Why it is none, in OPA's words.
pub(super) fn rule_from_body(mut body: Vec<Expr>) -> Result<ParsedRule, String> {
    let (Some(expr), true) = (body.pop(), body.is_empty()) else {
        return Err("multiple expressions cannot be used for rule head".into());
    };
    if !expr.with.is_empty() {
        return Err("expressions using with keyword cannot be used for rule head".into());
    }
    if expr.negated {
        return Err("negated expressions cannot be used for rule head".into());
    }
    let rule = match expr.kind {
        ExprKind::Some(_) => return Err("'some' declarations cannot be used for rule head".into()),
        ExprKind::Every(_) => return Err("expression cannot be used for rule head".into()),
        ExprKind::Term(term) => from_term(term)?,
        ExprKind::Call(terms) => from_call(terms, &expr.span)?,
    };
    Ok(ParsedRule { rule, words: vec![Words::default()] })
}

fn from_term(term: Term) -> Result<Rule, String> {
    let kind = term.kind_name();
    let span = term.span;
    let TermKind::Ref(mut reference) = term.kind else {
        return Err(format!("{kind} cannot be used for rule name"));
    };
    match reference.len() {
        0 | 1 => Err(format!("{kind}s cannot be used for rule head")),
        2 => {
            variable_first(&reference)?;
            let mut head = head(reference.drain(..1).collect(), None, span.clone());
            head.key = reference.pop();
            Ok(rule(head, span.clone(), span))
        }
        _ => {
            variable_first(&reference)?;
            let mut head = head(reference, Some(Term::scalar(true, span.clone())), span.clone());
            head.value_is_generated = true;
            Ok(rule(head, span.clone(), span))
        }
    }
}

fn from_call(terms: Vec<Term>, span: &Span) -> Result<Rule, String> {
    let operator = terms.first().and_then(Term::as_ref).unwrap_or_default();
    let name = ref_text(operator);
    if matches!(&*name, "eq" | "assign") {
        let assign = name == "assign";
        let Ok([_, left, right]) = <[Term; 3]>::try_from(terms) else {
            return Err("assignment requires two operands".into());
        };
        let mut rule = from_equation(left, right)?;
        rule.head.assign = assign;
        rule.head.span = span.clone();
        rule.span = span.clone();
        return Ok(rule);
    }
    if is_stock(&name) {
        return Err("rule name conflicts with built-in function".into());
    }
    if terms.len() <= 1 {
        return Err("rule argument list must take at least one argument".into());
    }
    let span = terms[0].span.clone();
    let (reference, args) = signature(terms)?;
    let mut head = head(reference, Some(Term::scalar(true, span.clone())), span.clone());
    head.args = Some(args);
    Ok(rule(head, span.clone(), span))
}

fn from_equation(left: Term, right: Term) -> Result<Rule, String> {
    let (at, behind) = (left.span.clone(), right.span.clone());
    let kind = left.kind_name();
    match left.kind {
        TermKind::Call(terms) => {
            let Ok((reference, args)) = signature(terms) else {
                return Err(format!("{kind} cannot be used for rule name"));
            };
            let mut head = head(reference, Some(right), at.clone());
            head.args = Some(args);
            Ok(rule(head, at, behind))
        }
        TermKind::Ref(reference) => {
            variable_first(&reference)?;
            let key = if let [_, key] = &reference[..] { Some(key.clone()) } else { None };
            let mut head = head(reference, Some(right), behind.clone());
            head.key = key;
            Ok(rule(head, behind.clone(), behind))
        }
        TermKind::Var(name) => {
            let reference = vec![Term::new(TermKind::Var(name), at.clone())];
            Ok(rule(head(reference, Some(right), at.clone()), at, behind))
        }
        _ => Err(format!("{kind} cannot be used for rule name")),
    }
}

/// The reference and the parameters of what looks like a call.
fn signature(mut terms: Vec<Term>) -> Result<(Vec<Term>, Vec<Term>), String> {
    let args = terms.split_off(1.min(terms.len()));
    match terms.pop().map(|operator| operator.kind) {
        Some(TermKind::Ref(reference)) => {
            variable_first(&reference)?;
            Ok((reference, args))
        }
        _ => Err("must be call".into()),
    }
}

fn variable_first(reference: &[Term]) -> Result<(), String> {
    match reference.first().and_then(Term::as_var) {
        Some(_) => Ok(()),
        None => Err(format!("invalid rule head: {}", ref_text(reference))),
    }
}

fn head(reference: Vec<Term>, value: Option<Term>, span: Span) -> Head {
    Head { reference, args: None, key: None, value, assign: false, value_is_generated: false, span }
}

/// A rule without a body of its own.
fn rule(head: Head, span: Span, body: Span) -> Rule {
    let body = true_body(body.clone(), body);
    Rule { default: false, head, body, else_branch: None, body_is_generated: true, span }
}
