//! `# METADATA` blocks.

mod content;
mod yaml;

use std::fmt::Write as _;

use regent_core::Value;
use regent_core::engine::{ErrorCode, PolicyError};

use super::ast::{AnnotationScope, Annotations, Comment, Module, Rule, Span, Term};
use super::kinds::ref_is_ground;

/// What a block may stand before.
#[derive(Debug, Clone, Copy)]
pub(super) enum Attachment {
    Package,
    Import,
    Rule(usize),
}

impl Attachment {
    /// What it is, in OPA's words.
    fn name(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Import => "import",
            Self::Rule(_) => "rule",
        }
    }
}

/// A block whose content could be read, not yet attached to anything.
#[derive(Debug)]
pub(super) struct Block {
    /// The scope as written; empty if it is not.
    scope: String,
    content: Value,
    span: Span,
}

impl Block {
    /// Where the block begins.
    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    fn is_entrypoint(&self) -> bool {
        self.content.get("entrypoint").and_then(Value::as_bool) == Some(true)
    }
}

/// Why a block cannot be read, and where.
pub(super) type Complaint = (Span, String);

/// The blocks among a text's comments, and what is wrong with others.
pub(super) fn parse(comments: &[Comment]) -> (Vec<Block>, Vec<Complaint>) {
    let (mut blocks, mut complaints) = (Vec::new(), Vec::new());
    let mut rest = comments;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if !first.text.trim().starts_with("METADATA") {
            continue;
        }
        let mut row = first.span.row;
        let length = behind
            .iter()
            .take_while(|comment| {
                row += 1;
                comment.span.row == row && comment.span.col == 1
            })
            .count();
        let (lines, behind) = behind.split_at(length);
        rest = behind;
        match read(first, lines) {
            Ok(block) => blocks.push(block),
            Err(complaint) => complaints.push(complaint),
        }
    }
    (blocks, complaints)
}

/// Reads the lines of one block behind its first.
fn read(first: &Comment, lines: &[Comment]) -> Result<Block, Complaint> {
    let text = lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{}", line.text.strip_prefix(' ').unwrap_or(&line.text));
        text
    });
    if text.trim().is_empty() {
        return Err((first.span.clone(), "expected METADATA block, found whitespace".into()));
    }
    let raw = content::Raw::read(&text).map_err(|error| {
        // OPA takes the line of the error, which counts from 1, for an index into the lines.
        let at = error.line.map_or(0, |line| line.min(lines.len() - 1));
        (lines[at].span.clone(), with_hints(error.message, lines))
    })?;
    let content = raw.content().map_err(|message| (first.span.clone(), message))?;
    let span =
        lines.last().map_or_else(|| first.span.clone(), |last| Span { end: last.span.end, ..first.span.clone() });
    Ok(Block { scope: raw.scope, content, span })
}

/// Points out lines whose colon is followed by something that looks like a space and is none.
fn with_hints(mut message: String, lines: &[Comment]) -> String {
    for line in lines {
        let mut strange = Vec::new();
        let mut parts = line.text.split(':').skip(1).peekable();
        while let Some(part) = parts.next() {
            let first = part.chars().next();
            if matches!(first, Some(' ' | '\t')) || (first.is_none() && parts.peek().is_none()) {
                strange.clear();
                break;
            }
            strange.push(quote_rune(first.unwrap_or(char::REPLACEMENT_CHARACTER)));
        }
        if !strange.is_empty() {
            let _ = write!(
                message,
                "\n  Hint: on line {}, symbol(s) [{}] immediately following a key/value separator ':' is not a legal yaml space character",
                line.span.row,
                strange.join(" ")
            );
        }
    }
    message
}

/// A character in single quotes, in ASCII.
fn quote_rune(c: char) -> String {
    match c {
        '\'' => "'\\''".into(),
        '\\' => "'\\\\'".into(),
        ' '..='~' => format!("'{c}'"),
        c if u32::from(c) < 0x10000 => format!("'\\u{:04x}'", u32::from(c)),
        c => format!("'\\U{:08x}'", u32::from(c)),
    }
}

/// Finds for each block what it stands before. `places` are the rows of the statements in the order of the text.
pub(super) fn attach(blocks: Vec<Block>, places: &[(u32, Attachment)]) -> Result<Vec<Annotations>, Vec<PolicyError>> {
    let (mut attached, mut errors) = (Vec::with_capacity(blocks.len()), Vec::new());
    for block in blocks {
        let target = places.iter().find(|(row, _)| *row > block.span.row).map(|(_, target)| *target);
        let entrypoint = block.is_entrypoint();
        let scope = match (&*block.scope, target) {
            ("", Some(Attachment::Rule(_))) if entrypoint => "document",
            ("", Some(target)) => target.name(),
            (written, _) => written,
        };
        let mut fail =
            |message: String| errors.push(PolicyError::new(ErrorCode::Parse, message, block.span.location()));
        let known = known_scope(scope);
        if let Some(message) = misplaced(scope, known, target) {
            fail(message);
        }
        if entrypoint && !matches!(known, Some(AnnotationScope::Document | AnnotationScope::Package)) {
            fail(format!("annotation entrypoint applied to non-document or package scope '{scope}'"));
        }
        let rule = if let Some(Attachment::Rule(index)) = target { Some(index) } else { None };
        attached.extend(known.map(|scope| Annotations { scope, content: block.content, span: block.span, rule }));
    }
    if errors.is_empty() { Ok(attached) } else { Err(errors) }
}

fn known_scope(name: &str) -> Option<AnnotationScope> {
    Some(match name {
        "rule" => AnnotationScope::Rule,
        "document" => AnnotationScope::Document,
        "package" => AnnotationScope::Package,
        "subpackages" => AnnotationScope::Subpackages,
        _ => return None,
    })
}

/// Why a scope does not go with what the block stands before.
fn misplaced(scope: &str, known: Option<AnnotationScope>, target: Option<Attachment>) -> Option<String> {
    let wanted = match known {
        None => {
            return Some(format!(
                "invalid annotation scope '{scope}'. Use one of 'rule', 'document', 'package', or 'subpackages'"
            ));
        }
        Some(AnnotationScope::Rule | AnnotationScope::Document) => "rule",
        Some(AnnotationScope::Package | AnnotationScope::Subpackages) => "package",
    };
    let have = target.map(Attachment::name);
    (have != Some(wanted)).then(|| {
        let have = have.map(|have| format!(" (have {have})")).unwrap_or_default();
        format!("annotation scope '{scope}' must be applied to {wanted}{have}")
    })
}

/// The annotations that apply to each rule of a module: those of its document, and the one of its own.
pub(super) fn of_rules(module: &Module) -> Vec<Vec<&Annotations>> {
    let mut free: Vec<&Annotations> = module.annotations.iter().collect();
    let mut found = Vec::with_capacity(module.rules.len());
    for rule in &module.rules {
        let mut own = None;
        let mut of_rule = Vec::new();
        for (index, annotations) in free.iter().enumerate() {
            let Some(target) = annotations.rule.and_then(|target| module.rules.get(target)) else {
                continue;
            };
            if !same_document(rule, target) {
                continue;
            }
            if annotations.scope == AnnotationScope::Document {
                of_rule.push(*annotations);
            } else if annotations.scope == AnnotationScope::Rule && rule.span.row > annotations.span.row {
                own = Some(index);
                of_rule.push(*annotations);
            }
        }
        if let Some(index) = own {
            free.remove(index);
        }
        found.push(of_rule);
    }
    found
}

/// Whether the constant beginnings of two rules' references are the same.
fn same_document(a: &Rule, b: &Rule) -> bool {
    let order = super::order::compare_all(constant(a), constant(b));
    order.is_eq()
}

fn constant(rule: &Rule) -> &[Term] {
    let parts = &rule.head.reference;
    if ref_is_ground(parts) {
        return parts;
    }
    let end = parts.iter().skip(1).position(|part| !part.is_ground()).map_or(parts.len(), |at| at + 1);
    &parts[..end]
}
