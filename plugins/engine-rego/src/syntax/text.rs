//! The tree as Rego text in one line, in the form in which OPA's errors, traces, partial results and decision logs show it:
//! what is called `String` in its package `ast`.
//!
//! Calls are written as calls, whatever operator stood in the text, but for `=` between two terms that are a whole expression.
//! Not here: values ([`crate::spelling`]), and OPA's formatter, which keeps to lines, comments and operators.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter, from_fn};

use super::ast::{
    Body, Every, Expr, ExprKind, Head, Import, Package, Rule, Template, TemplatePart, Term, TermKind, With,
};
use super::depth::deeper;
use super::order;
use super::token::is_keyword;
use regent_builtins::spelling::{quote, spell};

/// The text of a reference.
pub(crate) fn ref_text(parts: &[Term]) -> String {
    from_fn(|f| write_ref(f, parts)).to_string()
}

/// The text of a body.
pub(crate) fn body_text(body: &Body) -> String {
    shown(body).to_string()
}

/// A body to be written into something longer.
fn shown(body: &Body) -> impl Display + '_ {
    from_fn(move |f| write_all(f, body, "; "))
}

/// Writes items with something between them.
fn write_all<T: Display>(f: &mut Formatter<'_>, items: impl IntoIterator<Item = T>, between: &str) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

fn write_ref(f: &mut Formatter<'_>, parts: &[Term]) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        match index {
            0 => part.fmt(f)?,
            _ => write_key(f, part)?,
        }
    }
    Ok(())
}

/// Writes a key behind what it is a key of.
fn write_key(f: &mut Formatter<'_>, key: &Term) -> fmt::Result {
    match key.as_text() {
        Some(name) if is_name(name) => write!(f, ".{name}"),
        Some(text) if !text.contains(is_escaped_in_key) => write!(f, "[\"{text}\"]"),
        _ => write!(f, "[{key}]"),
    }
}

/// Whether a character in a key has the whole key escaped. Without one even what cannot be seen stays as it is. OPA does not
/// count quotes, and so writes keys that are no Rego.
fn is_escaped_in_key(c: char) -> bool {
    c.is_control() || matches!(c, '\\' | '"')
}

/// Whether a text can stand behind a dot.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !is_keyword(text, true)
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        deeper(|| write_term(f, self))
    }
}

fn write_term(f: &mut Formatter<'_>, term: &Term) -> fmt::Result {
    match &term.kind {
        TermKind::Scalar(value) => f.write_str(&spell(value)),
        TermKind::Var(name) if name.starts_with('$') => f.write_str("_"),
        TermKind::Var(name) => f.write_str(name),
        TermKind::Ref(parts) => write_ref(f, parts),
        TermKind::Array(items) => {
            f.write_str("[")?;
            write_all(f, items, ", ")?;
            f.write_str("]")
        }
        TermKind::Set(items) if items.is_empty() => f.write_str("set()"),
        TermKind::Set(items) => {
            f.write_str("{")?;
            write_all(f, order::members(items).iter(), ", ")?;
            f.write_str("}")
        }
        TermKind::Object(entries) => {
            f.write_str("{")?;
            let entries = order::entries(entries);
            write_all(f, entries.iter().map(|(key, value)| from_fn(move |f| write!(f, "{key}: {value}"))), ", ")?;
            f.write_str("}")
        }
        TermKind::ArrayComprehension(parts) => write!(f, "[{} | {}]", parts.term, shown(&parts.body)),
        TermKind::SetComprehension(parts) => write!(f, "{{{} | {}}}", parts.term, shown(&parts.body)),
        TermKind::ObjectComprehension(parts) => {
            write!(f, "{{{}: {} | {}}}", parts.key, parts.value, shown(&parts.body))
        }
        TermKind::Call(terms) => write_call(f, terms),
        TermKind::Template(template) => template.fmt(f),
    }
}

fn write_call(f: &mut Formatter<'_>, terms: &[Term]) -> fmt::Result {
    let Some((operator, operands)) = terms.split_first() else {
        return Ok(());
    };
    write!(f, "{operator}(")?;
    write_all(f, operands, ", ")?;
    f.write_str(")")
}

impl Display for Template {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("$\"")?;
        for part in &self.parts {
            match part {
                TemplatePart::Text(term) => match term.as_text() {
                    Some(text) => f.write_str(&template_text(text).replace('{', "\\{"))?,
                    None => term.fmt(f)?,
                },
                TemplatePart::Expr(expr) => write!(f, "{{{expr}}}")?,
            }
        }
        f.write_str("\"")
    }
}

/// A text as it stands in a template, but for braces. What cannot be seen is escaped only along with something that has to be.
fn template_text(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| c < ' ' || matches!(c, '\\' | '"')) {
        return text.into();
    }
    let mut quoted = quote(text);
    quoted.pop();
    quoted.remove(0);
    quoted.into()
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("not ")?;
        }
        match &self.kind {
            ExprKind::Term(term) => term.fmt(f)?,
            ExprKind::Call(terms) => match &terms[..] {
                [operator, left, right] if is_unification(operator) => write!(f, "{left} = {right}")?,
                _ => write_call(f, terms)?,
            },
            ExprKind::Some(terms) => write_some(f, terms)?,
            ExprKind::Every(every) => every.fmt(f)?,
        }
        self.with.iter().try_for_each(|with| write!(f, " {with}"))
    }
}

fn is_unification(operator: &Term) -> bool {
    matches!(operator.as_ref(), Some([name]) if name.as_var().is_some_and(|name| &**name == "eq"))
}

fn write_some(f: &mut Formatter<'_>, terms: &[Term]) -> fmt::Result {
    f.write_str("some ")?;
    match terms {
        [Term { kind: TermKind::Call(call), .. }] => match &call[..] {
            [_, key, value, domain] => write!(f, "{key}, {value} in {domain}"),
            [_, value, domain] => write!(f, "{value} in {domain}"),
            _ => write_call(f, call),
        },
        _ => write_all(f, terms, ", "),
    }
}

impl Display for Every {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("every ")?;
        if let Some(key) = &self.key {
            write!(f, "{key}, ")?;
        }
        write!(f, "{} in {} {{ {} }}", self.value, self.domain, shown(&self.body))
    }
}

impl Display for With {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "with {} as {}", self.target, self.value)
    }
}

impl Display for Head {
    /// The head in the words of v1.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_ref(f, &self.reference)?;
        if let Some(args) = self.args.as_ref().filter(|args| !args.is_empty()) {
            f.write_str("(")?;
            write_all(f, args, ", ")?;
            f.write_str(")")?;
        } else if let (Some(key), [_]) = (&self.key, &self.reference[..]) {
            write!(f, " contains {key}")?;
        } else if let (Some(key), None) = (&self.key, &self.value) {
            write!(f, " contains {key}")?;
        }
        match &self.value {
            Some(value) => write!(f, " {} {value}", if self.assign { ":=" } else { "=" }),
            None => Ok(()),
        }
    }
}

impl Display for Rule {
    /// The rule in the words of v1, its body written out even where the text has none.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.default {
            return write!(f, "default {}", self.head);
        }
        write!(f, "{} if {{ {} }}", self.head, shown(&self.body))?;
        let mut next = self.else_branch.as_deref();
        while let Some(rule) = next {
            f.write_str(" else")?;
            if let Some(value) = &rule.head.value {
                write!(f, " = {value}")?;
            }
            write!(f, " if {{ {} }}", shown(&rule.body))?;
            next = rule.else_branch.as_deref();
        }
        Ok(())
    }
}

impl Display for Package {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("package ")?;
        if let Some((root, rest)) = self.path.get(1..).and_then(<[Term]>::split_first) {
            f.write_str(root.as_text().unwrap_or_default())?;
            rest.iter().try_for_each(|key| write_key(f, key))?;
        }
        Ok(())
    }
}

impl Display for Import {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "import {}", self.path)?;
        self.alias.as_ref().map_or(Ok(()), |alias| write!(f, " as {alias}"))
    }
}
