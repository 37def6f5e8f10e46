//! Rego text and its syntax tree.
//!
//! ```text
//! text --scanner--> tokens --parser--> tree (`ast`) --json, text--> OPA's JSON, Rego text
//! ```

pub mod ast;
pub mod visit;

mod annotations;
pub(crate) mod depth;
mod json;
mod kinds;
mod language;
pub(crate) mod order;
mod parser;
mod scanner;
pub(crate) mod text;
mod token;

use std::sync::Arc;

use ast::{AnnotationScope, Body, ExprKind, Import, Module, Package, Ref, SourceFile, Term, TermKind};
use parser::{ParserOptions, Statement, Statements};
use regent_core::engine::{ErrorCode, PolicyError, PolicyErrors, RegoVersion};
use token::Keywords;

#[cfg(test)]
mod tests;

pub use language::Language;
pub(crate) use token::FUTURE_KEYWORDS;

pub use json::{JsonOptions, body_to_json, module_to_json, rule_to_json};

/// How a module is parsed.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModuleOptions {
    /// Its dialect.
    pub version: RegoVersion,
    /// Whether `# METADATA` blocks are read. OPA does so for files and bundles, not for what its REST API takes.
    pub annotations: bool,
    /// What of the language it may use.
    pub language: Language,
}

/// Parses a module, its metadata included.
///
/// # Errors
/// Everything that is wrong with its syntax.
pub fn parse_module(source: Arc<SourceFile>, version: RegoVersion) -> Result<Module, PolicyErrors> {
    parse_module_with(source, &[], ModuleOptions { version, annotations: true, ..ModuleOptions::default() })
}

/// Parses a module. `broken` are the offsets of replacement characters that stand for bytes which are no UTF-8; each is an
/// error.
///
/// # Errors
/// Everything that is wrong with its syntax.
pub fn parse_module_with(
    source: Arc<SourceFile>,
    broken: &[usize],
    options: ModuleOptions,
) -> Result<Module, PolicyErrors> {
    let file = Arc::clone(&source.name);
    let ModuleOptions { version, annotations, language } = options;
    let statements =
        parser::parse_statements(source, broken, ParserOptions { annotations, language, ..dialect(version) })?;
    parser::assemble(statements, &file, version)
}

/// How a query is parsed.
#[derive(Debug, Clone, Copy, Default)]
pub struct BodyOptions<'a> {
    /// Its dialect.
    pub version: RegoVersion,
    /// Imports as if they stood before it, which matters for those of keywords.
    pub imports: &'a [Import],
    /// Whether a rule is recognised, to be refused as such; else it is a malformed expression. OPA does so for what its
    /// REST API takes, and it shows in the errors.
    pub recognise_rules: bool,
    /// What of the language it may use.
    pub language: Language,
}

/// Parses a query: expressions parted by `;` or line feeds. An empty text is an empty body.
///
/// # Errors
/// Everything that is wrong with its syntax.
pub fn parse_body(source: Arc<SourceFile>, version: RegoVersion) -> Result<Body, PolicyErrors> {
    parse_body_with(source, BodyOptions { version, ..BodyOptions::default() })
}

/// As [`parse_body`], with options.
///
/// # Errors
/// Everything that is wrong with its syntax; without a location if it is no query but something else.
pub fn parse_body_with(source: Arc<SourceFile>, options: BodyOptions<'_>) -> Result<Body, PolicyErrors> {
    let mut parser_options = dialect(options.version);
    parser_options.skip_rules = !options.recognise_rules;
    parser_options.language = options.language;
    options.imports.iter().for_each(|import| parser_options.keywords.add_import(import));
    let statements = parser::parse_statements(source, &[], parser_options)?;
    let mut body = Body::new();
    for statement in statements.list {
        match statement {
            Statement::Body(exprs) => exprs.into_iter().for_each(|expr| parser::append(&mut body, expr)),
            other => return Err(unexpected("body", &other)),
        }
    }
    Ok(body)
}

/// Parses exactly one term.
///
/// # Errors
/// When the text is anything else.
pub fn parse_term(source: Arc<SourceFile>, version: RegoVersion) -> Result<Term, PolicyErrors> {
    let mut body = parse_body(source, version)?;
    match (body.pop().map(|expr| expr.kind), body.is_empty()) {
        (Some(ExprKind::Term(term)), true) => Ok(term),
        (Some(ExprKind::Call(terms)), true) => Err(plain_error(format!(
            "expected term but got [{}]",
            terms.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        ))),
        _ => Err(plain_error("expected exactly one term")),
    }
}

/// Parses exactly one reference.
///
/// # Errors
/// When the text is anything else.
pub fn parse_ref(source: Arc<SourceFile>, version: RegoVersion) -> Result<Ref, PolicyErrors> {
    let term = parse_term(source, version)?;
    match term.kind {
        TermKind::Ref(parts) => Ok(parts),
        _ => Err(plain_error(format!("expected ref but got {term}"))),
    }
}

/// Parses imports, `import data.a` one or more times.
///
/// # Errors
/// When the text is anything else.
pub fn parse_imports(source: Arc<SourceFile>, version: RegoVersion) -> Result<Vec<Import>, PolicyErrors> {
    let Statements { list, .. } = parser::parse_statements(source, &[], dialect(version))?;
    let imports = list.into_iter().map(|statement| match statement {
        Statement::Import(import) => Ok(import),
        other => Err(unexpected("import", &other)),
    });
    imports.collect()
}

/// Parses one `package a.b`.
///
/// # Errors
/// When the text is anything else.
pub fn parse_package(source: Arc<SourceFile>, version: RegoVersion) -> Result<Package, PolicyErrors> {
    let Statements { mut list, .. } = parser::parse_statements(source, &[], dialect(version))?;
    match (list.pop(), list.is_empty()) {
        (Some(Statement::Package(package)), true) => Ok(package),
        (Some(other), true) => Err(unexpected("package", &other)),
        _ => Err(plain_error("expected exactly one statement")),
    }
}

fn unexpected(wanted: &str, statement: &Statement) -> PolicyErrors {
    plain_error(format!("expected {wanted} but got {}", statement.go_type()))
}

fn plain_error(message: impl Into<String>) -> PolicyErrors {
    PolicyError::new(ErrorCode::Parse, message, None).into()
}

fn dialect(version: RegoVersion) -> ParserOptions {
    let v1 = version == RegoVersion::V1;
    let keywords = if v1 { Keywords::ALL } else { Keywords::default() };
    ParserOptions { v1, keywords, skip_rules: false, annotations: false, language: Language::default() }
}
