//! Queries in Rego text.

use std::borrow::Cow;
use std::sync::Arc;

use regent_core::Value;
use regent_core::engine::{QueryError, QueryText, RegoVersion};
use regent_core::metrics::Metrics;
use regent_core::value::Path;

use crate::compile::{Compiled, CompiledQuery, Options, QueryContext, check_document, compile_query};
use crate::syntax::ast::{Body, Import, Ref, SourceFile, Span, Term, TermKind};
use crate::syntax::text::body_text;
use crate::syntax::{BodyOptions, Language, parse_body_with, parse_module};
use regent_builtins::Builtins;

/// The query as OPA spells what it parsed; its own words if it does not parse.
pub(crate) fn spelling<'q>(query: &'q QueryText, options: &Options) -> Cow<'q, str> {
    parse(query, options).map_or(Cow::Borrowed(&query.text), |body| body_text(&body).into())
}

/// Parses and compiles a query; adds the time of each stage if the metrics are on.
///
/// # Errors
/// When it does not parse or compile, or is empty.
pub(crate) fn compile(
    query: &QueryText,
    compiled: &Compiled,
    builtins: &Builtins,
    options: &Options,
    metrics: &mut Metrics,
) -> Result<CompiledQuery, QueryError> {
    let body = parse(query, options)?;
    if body.is_empty() {
        return Err(QueryError::Empty);
    }
    let mut imports = Vec::new();
    for import in &query.imports {
        imports.extend(parse_import(import)?);
    }
    let context = QueryContext { package: query.package.as_ref().map(package), imports };
    let options = Options { unsafe_builtins: query.unsafe_builtins.clone(), ..options.clone() };
    compile_query(body, &context, compiled, builtins, &options, metrics).map_err(QueryError::Compile)
}

fn parse(query: &QueryText, options: &Options) -> Result<Body, QueryError> {
    let source = SourceFile { name: Arc::default(), text: query.text.as_str().into() };
    let language = Language::of(options.capabilities.as_deref(), query.version).map_err(QueryError::Parse)?;
    let parsing =
        BodyOptions { version: query.version, recognise_rules: query.recognise_rules, imports: &[], language };
    parse_body_with(Arc::new(source), parsing).map_err(|errors| match &errors.0[..] {
        // What is no query at all is wrong nowhere in particular.
        [error] if error.location.is_none() => QueryError::Invalid(error.message.clone()),
        _ => QueryError::Parse(errors),
    })
}

/// Checks that what is known of rules allows for a document at the path.
///
/// # Errors
/// When it leads through a value that has no such key.
pub(crate) fn check(
    path: &Path,
    compiled: &Compiled,
    builtins: &Builtins,
    options: &Options,
) -> Result<(), QueryError> {
    let text: Arc<str> = path.to_reference().into();
    let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let span = Span { source: Arc::new(SourceFile { name: Arc::default(), text }), start: 0, end, row: 1, col: 1 };
    let reference = Term::new(TermKind::Ref(keys(path, &span)), span);
    check_document(reference, compiled, builtins, options).map_err(QueryError::Compile)
}

/// The reference to the document at a path. Keys that are numbers are taken as numbers, which base data allows for.
pub(crate) fn keys(path: &Path, span: &Span) -> Ref {
    let key = |key: &Arc<str>| key.parse::<i64>().map_or_else(|_| Value::from(key.clone()), Value::from);
    let keys = path.segments().iter().map(|segment| Term::scalar(key(segment), span.clone()));
    [Term::var("data", span.clone())].into_iter().chain(keys).collect()
}

fn parse_import(import: &str) -> Result<Vec<Import>, QueryError> {
    let text = format!("package query\nimport {import}");
    let source = SourceFile { name: Arc::default(), text: text.into() };
    let module = parse_module(Arc::new(source), RegoVersion::V1).map_err(QueryError::Parse)?;
    Ok(module.imports)
}

/// The package's path as a reference below `data`.
fn package(path: &Path) -> Ref {
    let keys = path.segments().iter().map(|key| Term::scalar(Arc::clone(key), Span::default()));
    [Term::var("data", Span::default())].into_iter().chain(keys).collect()
}
