//! Texts as a whole: statements, and the module they make.

use std::sync::Arc;

use regent_core::engine::{ErrorCode, Location, PolicyError, PolicyErrors, RegoVersion};

use super::from_body::rule_from_body;
use super::rule::{ParsedRule, Words};
use super::{Parser, ParserOptions};
use crate::syntax::annotations::{self, Attachment, Block};
use crate::syntax::ast::{Body, Comment, Import, Module, Package, Rule, SourceFile, Span, TermKind};
use crate::syntax::token::{Token, is_keyword};

/// What a text is made of.
pub(in crate::syntax) enum Statement {
    Package(Package),
    Import(Import),
    Rule(Box<ParsedRule>),
    Body(Body),
}

impl Statement {
    fn span(&self) -> Span {
        match self {
            Self::Package(package) => package.span.clone(),
            Self::Import(import) => import.span.clone(),
            Self::Rule(parsed) => parsed.rule.span.clone(),
            Self::Body(body) => body.first().map(|expr| expr.span.clone()).unwrap_or_default(),
        }
    }

    /// What it is called in Go, as some errors say it.
    pub(in crate::syntax) fn go_type(&self) -> &'static str {
        match self {
            Self::Package(_) => "*ast.Package",
            Self::Import(_) => "*ast.Import",
            Self::Rule(_) => "*ast.Rule",
            Self::Body(_) => "ast.Body",
        }
    }
}

/// The statements of a text and what stands between them.
pub(in crate::syntax) struct Statements {
    pub(in crate::syntax) list: Vec<Statement>,
    pub(in crate::syntax) comments: Vec<Comment>,
    pub(in crate::syntax) annotations: Vec<Block>,
}

/// Parses the statements of a text, in which bytes that are no UTF-8 stand at the given offsets.
pub(in crate::syntax) fn parse_statements(
    source: Arc<SourceFile>,
    illegal: &[usize],
    options: ParserOptions,
) -> Result<Statements, PolicyErrors> {
    let mut parser = Parser::new(source, illegal, options);
    let mut list = Vec::new();
    while parser.token() != Token::Eof && parser.statement(&mut list).is_some() {}
    parser.comments.truncate(parser.state.comments);
    let mut annotations = Vec::new();
    if options.annotations {
        let (found, errors) = annotations::parse(&parser.comments);
        annotations = found;
        for (span, message) in errors {
            parser.error_at(&span, message);
        }
    }
    if let Some(error) = parser.too_deep {
        return Err(error.into());
    }
    let errors = parser.state.errors.to_list();
    if errors.is_empty() {
        Ok(Statements { list, comments: parser.comments, annotations })
    } else {
        Err(PolicyErrors(errors))
    }
}

impl Parser {
    /// The next statement, whatever kind it is; nothing if there is none.
    fn statement(&mut self, list: &mut Vec<Statement>) -> Option<()> {
        let start = self.save();
        if let Some(package) = self.package() {
            list.push(Statement::Package(package));
            return Some(());
        }
        self.try_next(start.clone())?;
        if let Some(import) = self.import() {
            self.import_keywords(&import);
            list.push(Statement::Import(import));
            return Some(());
        }
        self.try_next(start.clone())?;
        if !self.options.skip_rules {
            if let Some(rules) = self.rules() {
                list.extend(rules.into_iter().map(|rule| Statement::Rule(Box::new(rule))));
                return Some(());
            }
            self.try_next(start)?;
        }
        list.push(Statement::Body(self.query(true, Token::Eof)?));
        Some(())
    }

    /// Back to where a statement begins, unless it is clear that it is wrong.
    fn try_next(&mut self, start: super::State) -> Option<()> {
        if self.has_errors() {
            return None;
        }
        self.ready = None;
        self.no_comprehension.clear();
        self.failed.clear();
        self.restore(start);
        Some(())
    }
}

/// What the statements of a module come to.
#[derive(Default)]
struct Parts {
    package: Option<Package>,
    imports: Vec<Import>,
    rules: Vec<Rule>,
    /// Of each rule, the words that it was written with.
    words: Vec<Vec<Words>>,
    /// Where annotations can stand before.
    places: Vec<(u32, Attachment)>,
    errors: Vec<PolicyError>,
}

impl Parts {
    fn add(&mut self, is_first: bool, statement: Statement) {
        let span = statement.span();
        let parsed = match statement {
            Statement::Package(found) if is_first => {
                self.places.push((span.row, Attachment::Package));
                self.package = Some(found);
                return;
            }
            // What stands in the package's place is complained about once.
            _ if is_first => return,
            Statement::Package(_) => return self.errors.push(parse_error("unexpected package".into(), &span)),
            Statement::Import(import) => {
                self.places.push((span.row, Attachment::Import));
                return self.imports.push(import);
            }
            Statement::Rule(parsed) => *parsed,
            Statement::Body(body) => match rule_from_body(body) {
                Ok(parsed) => parsed,
                Err(message) => return self.errors.push(parse_error(message, &span)),
            },
        };
        self.places.push((parsed.rule.span.row, Attachment::Rule(self.rules.len())));
        self.words.push(parsed.words);
        self.rules.push(parsed.rule);
    }
}

fn parse_error(message: String, span: &Span) -> PolicyError {
    PolicyError::new(ErrorCode::Parse, message, span.location())
}

/// Puts statements together to a module.
pub(in crate::syntax) fn assemble(
    statements: Statements,
    file: &Arc<str>,
    version: RegoVersion,
) -> Result<Module, PolicyErrors> {
    let Statements { list, comments, annotations } = statements;
    let Some(first) = list.first().map(Statement::span).or(annotations.first().map(|found| found.span().clone()))
    else {
        let location = Location { file: file.clone(), row: 0, col: 0 };
        return Err(PolicyError::new(ErrorCode::Parse, "empty module", location).into());
    };
    let mut parts = Parts::default();
    if !matches!(list.first(), Some(Statement::Package(_))) {
        parts.errors.push(parse_error("package expected".into(), &first));
    }
    for (index, statement) in list.into_iter().enumerate() {
        parts.add(index == 0, statement);
    }
    let Parts { package, imports, rules, words, places, mut errors } = parts;
    let version = if imports.iter().any(imports_v1) { RegoVersion::V1 } else { version };
    if version == RegoVersion::V1 {
        rules.iter().zip(&words).for_each(|(rule, words)| check_v1(rule, words, &mut errors));
    }
    let (Some(package), true) = (package, errors.is_empty()) else {
        return Err(PolicyErrors(errors));
    };
    let annotations = annotations::attach(annotations, &places).map_err(PolicyErrors)?;
    Ok(Module { package, imports, rules, annotations, comments, version })
}

/// Whether an import is exactly `rego.v1`.
fn imports_v1(import: &Import) -> bool {
    let path = import.path.as_ref().unwrap_or_default();
    matches!(path, [root, version]
        if root.as_var().is_some_and(|name| &**name == "rego") && version.as_text() == Some("v1"))
}

/// What v1 demands of rules, `else` by `else`.
fn check_v1(rule: &Rule, words: &[Words], errors: &mut Vec<PolicyError>) {
    let mut current = Some(rule);
    for words in words {
        let Some(rule) = current else { return };
        let head = &rule.head;
        let kind = if head.args.as_ref().is_some_and(|args| !args.is_empty()) { "function" } else { "rule" };
        let mut fail = |message: String| errors.push(PolicyError::new(ErrorCode::Parse, message, rule.span.location()));
        if let [name] = &head.reference[..]
            && let TermKind::Var(name) = &name.kind
            && is_keyword(name, true)
        {
            fail(format!("{name} keyword cannot be used for rule name"));
        }
        if rule.body_is_generated && head.value_is_generated {
            fail(format!("{kind} must have value assignment and/or body declaration"));
        }
        if !rule.body_is_generated && !words.has_if && !rule.default {
            fail(format!("`if` keyword is required before {kind} body"));
        }
        if head.value.is_none() && head.key.is_some() && !words.has_contains {
            fail("`contains` keyword is required for partial set rules".into());
        }
        current = rule.else_branch.as_deref();
    }
}
