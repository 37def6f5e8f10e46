//! The tree as Rego text, in the form in which OPA's errors, traces and partial results show it.

use std::fmt::{self, Display, Formatter, Write as _, from_fn};

use regent_core::Value;
use regent_core::value::View;

use super::ast::{
    Body, Every, Expr, ExprKind, Head, Import, Package, Rule, Template, TemplatePart, Term, TermKind, With,
};
use super::depth::deeper;
use super::order;
use super::token::is_keyword;

impl Term {
    /// What kind of term it is, in OPA's words.
    pub(crate) fn kind_name(&self) -> &'static str {
        match &self.kind {
            TermKind::Scalar(value) => value.type_name(),
            TermKind::Var(_) => "var",
            TermKind::Ref(_) => "ref",
            TermKind::Array(_) => "array",
            TermKind::Object(_) => "object",
            TermKind::Set(_) => "set",
            TermKind::ArrayComprehension(_) => "arraycomprehension",
            TermKind::SetComprehension(_) => "setcomprehension",
            TermKind::ObjectComprehension(_) => "objectcomprehension",
            TermKind::Call(_) => "call",
            TermKind::Template(_) => "templatestring",
        }
    }

    /// Whether no variable occurs in it but at the head of references.
    pub(crate) fn is_ground(&self) -> bool {
        deeper(|| match &self.kind {
            TermKind::Scalar(_) => true,
            TermKind::Var(_) => false,
            TermKind::Ref(parts) => ref_is_ground(parts),
            TermKind::Array(items) | TermKind::Set(items) | TermKind::Call(items) => items.iter().all(Self::is_ground),
            TermKind::Object(entries) => entries.iter().all(|(key, value)| key.is_ground() && value.is_ground()),
            TermKind::ArrayComprehension(parts) | TermKind::SetComprehension(parts) => {
                parts.term.is_ground() && parts.body.iter().all(Expr::is_ground)
            }
            TermKind::ObjectComprehension(parts) => {
                parts.key.is_ground() && parts.value.is_ground() && parts.body.iter().all(Expr::is_ground)
            }
            TermKind::Template(template) => template.parts.iter().all(|part| match part {
                TemplatePart::Text(_) => true,
                TemplatePart::Expr(expr) => expr.is_ground(),
            }),
        })
    }
}

impl Expr {
    /// Whether no variable occurs among its operands; declarations and `every` count as ground.
    pub(crate) fn is_ground(&self) -> bool {
        match &self.kind {
            ExprKind::Term(term) => term.is_ground(),
            ExprKind::Call(terms) => terms.iter().skip(1).all(Term::is_ground),
            ExprKind::Some(_) | ExprKind::Every(_) => true,
        }
    }
}

/// Whether no variable occurs in the reference but its head.
pub(crate) fn ref_is_ground(parts: &[Term]) -> bool {
    parts.iter().skip(1).all(Term::is_ground)
}

/// The text of a reference.
pub(crate) fn ref_text(parts: &[Term]) -> String {
    from_fn(|f| write_ref(f, parts)).to_string()
}

/// The text of a body.
pub(crate) fn body_text(body: &Body) -> String {
    from_fn(|f| write_all(f, body, "; ")).to_string()
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
        match part.as_text() {
            _ if index == 0 => write!(f, "{part}")?,
            Some(name) if is_name(name) => write!(f, ".{name}")?,
            _ => write!(f, "[{part}]")?,
        }
    }
    Ok(())
}

/// Whether a text can stand behind a dot.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !is_keyword(text, true)
}

/// Shows a scalar.
fn write_scalar(f: &mut Formatter<'_>, value: &Value) -> fmt::Result {
    match value.view() {
        View::Null => f.write_str("null"),
        View::Bool(truth) => truth.fmt(f),
        View::Number(number) => f.write_str(&number.to_literal()),
        View::String(text) => f.write_str(&quote(text)),
        View::Array(_) | View::Object(_) | View::Set(_) => f.write_str(&regent_core::value::encode(value)),
    }
}

/// A text in quotes as Go quotes it: what cannot be printed is escaped.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            c if is_printable(c) => quoted.push(c),
            c => {
                let code = u32::from(c);
                let _ = match code {
                    0..0x80 => write!(quoted, "\\x{code:02x}"),
                    0x80..0x10000 => write!(quoted, "\\u{code:04x}"),
                    _ => write!(quoted, "\\U{code:08x}"),
                };
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Whether Go prints a character as it is. Rust escapes the same ones in its debug form, but for combining marks, which
/// both print, and quotes, which are dealt with before.
fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        c if c.is_ascii() => false,
        '\u{300}'..='\u{36f}' => true,
        c if c.is_whitespace() => false,
        c => !matches!(c.escape_debug().next(), Some('\\')),
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        deeper(|| write_term(f, self))
    }
}

fn write_term(f: &mut Formatter<'_>, term: &Term) -> fmt::Result {
    match &term.kind {
        TermKind::Scalar(value) => write_scalar(f, value),
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
            write_all(f, order::members(items), ", ")?;
            f.write_str("}")
        }
        TermKind::Object(entries) => {
            f.write_str("{")?;
            let entries = order::entries(entries);
            write_all(f, entries.iter().map(|(key, value)| from_fn(move |f| write!(f, "{key}: {value}"))), ", ")?;
            f.write_str("}")
        }
        TermKind::ArrayComprehension(parts) => write!(f, "[{} | {}]", parts.term, body_text(&parts.body)),
        TermKind::SetComprehension(parts) => write!(f, "{{{} | {}}}", parts.term, body_text(&parts.body)),
        TermKind::ObjectComprehension(parts) => {
            write!(f, "{{{}: {} | {}}}", parts.key, parts.value, body_text(&parts.body))
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
                    Some(text) => {
                        let quoted = quote(text);
                        let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
                        f.write_str(&inner.replace('{', "\\{"))?;
                    }
                    None => term.fmt(f)?,
                },
                TemplatePart::Expr(expr) => write!(f, "{{{expr}}}")?,
            }
        }
        f.write_str("\"")
    }
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
        write!(f, "{} in {} {{ {} }}", self.value, self.domain, body_text(&self.body))
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
        write!(f, "{} if {{ {} }}", self.head, body_text(&self.body))?;
        let mut next = self.else_branch.as_deref();
        while let Some(rule) = next {
            f.write_str(" else")?;
            if let Some(value) = &rule.head.value {
                write!(f, " = {value}")?;
            }
            write!(f, " if {{ {} }}", body_text(&rule.body))?;
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
            for part in rest {
                match part.as_text() {
                    Some(name) if is_name(name) => write!(f, ".{name}")?,
                    _ => write!(f, "[{part}]")?,
                }
            }
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
