//! Queries in Rego text.

use std::sync::Arc;

use regent_core::engine::{
    Answer, ErrorCode, Evaluation, Expression, Location, PolicyError, PolicyErrors, PreparedQuery, QueryError,
    QueryText, Row,
};
use regorus::Value as Theirs;
use regorus::unstable::{self as ast, NodeRef, Parser};

use crate::convert::from_regorus;
use crate::functions::{Callee, Functions};
use crate::module::is_blank;
use crate::run::{run, unconvertible};
use crate::{errors, syntax, unsupported};

/// What stands before a query that is analysed and not evaluated. On a line of its own, so that columns stay.
const STOP: &str = "false\n";

/// A query in Rego text.
pub(crate) struct TextQuery {
    /// What regorus evaluates: the text, and `true` where [`needs_company`] says so.
    text: String,
    /// Text and place of each statement.
    statements: Vec<(Arc<str>, Location)>,
    /// How many expressions a row has if all of them hold, company included.
    complete: usize,
}

impl TextQuery {
    pub(crate) fn prepare(
        query: &QueryText,
        functions: &Functions,
        analysed: regorus::Engine,
    ) -> Result<Self, QueryError> {
        if query.package.is_some() {
            return Err(unsupported("queries inside a package").into());
        }
        if let Some(import) = query.imports.iter().find(|import| !is_dialect(import)) {
            return Err(unsupported(format!("queries with imports (`{import}`)")).into());
        }
        if is_blank(&query.text) {
            return Err(QueryError::Empty);
        }
        let tree = parse(&query.text)?;
        require_calls(&tree, functions, &query.unsafe_builtins)?;
        require_analysis(analysed, &query.text)?;
        let statement =
            |statement: &ast::LiteralStmt| (statement.span.text().into(), syntax::location(&statement.span));
        let lone = tree.stmts.len() == 1;
        let company = if lone && needs_company(&tree.stmts[0].literal) { "\ntrue" } else { "" };
        Ok(Self {
            text: format!("{}{company}", query.text),
            statements: tree.stmts.iter().map(statement).collect(),
            complete: tree.stmts.len() + usize::from(!company.is_empty()),
        })
    }

    fn row(&self, result: &regorus::QueryResult) -> Result<Option<Row>, QueryError> {
        // regorus gives a row to a query that failed on the way, without what comes after.
        let is_false = |expression: &regorus::Expression| expression.value == Theirs::Bool(false);
        if result.expressions.len() < self.complete || self.complete > 1 && result.expressions.iter().any(is_false) {
            return Ok(None);
        }
        let value = |value| from_regorus(value).map_err(|error| unconvertible(&error));
        let mut row = Row::default();
        for (expression, (text, location)) in result.expressions.iter().zip(&self.statements) {
            row.expressions.push(Expression {
                value: value(&expression.value)?.unwrap_or_default(),
                text: text.clone(),
                location: location.clone(),
            });
        }
        let Theirs::Object(bindings) = &result.bindings else {
            return Ok(Some(row));
        };
        for (name, bound) in bindings.iter_sorted() {
            if let (Theirs::String(name), Some(bound)) = (name, value(bound)?) {
                row.bindings.push((name.clone(), bound));
            }
        }
        Ok(Some(row))
    }
}

impl PreparedQuery for TextQuery {
    fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Result<Answer, QueryError> {
        let results =
            run(evaluation, |engine| engine.eval_query(self.text.clone(), false).map_err(|error| error.to_string()))?;
        let rows = results.result.iter().filter_map(|result| self.row(result).transpose());
        Ok(Answer { rows: rows.collect::<Result<_, _>>()? })
    }
}

/// Whether an import only switches on keywords that every query has.
fn is_dialect(import: &str) -> bool {
    import == "rego.v1" || import.starts_with("future.keywords")
}

/// Whether regorus gives a row to the statement even where it does not hold, as long as it stands alone.
fn needs_company(literal: &ast::Literal) -> bool {
    !matches!(literal, ast::Literal::Expr { .. })
}

fn parse(text: &str) -> Result<NodeRef<ast::Query>, QueryError> {
    let error = match errors::guarded(|| parse_query(text)) {
        Ok(tree) => return Ok(tree),
        Err(error) => error,
    };
    if errors::guarded(|| parse_module(&format!("package query\n{text}"))).is_ok() {
        return Err(QueryError::Invalid("expected body but got *ast.Rule".to_owned()));
    }
    // Of the first statement regorus tells neither what is wrong nor where.
    let error = match errors::guarded(|| parse_query(&format!("true\n{text}"))) {
        Err(better) if error.trim_end().ends_with("error: expecting") => up(&better, 1),
        _ => error,
    };
    Err(QueryError::Parse(errors::parse_error(&error, text).into()))
}

fn parse_query(text: &str) -> Result<NodeRef<ast::Query>, String> {
    let source = regorus::Source::from_contents(errors::QUERY_FILE.to_owned(), text.to_owned());
    let source = source.map_err(|error| error.to_string())?;
    let mut parser = Parser::new(&source).map_err(|error| error.to_string())?;
    parser.enable_rego_v1().map_err(|error| error.to_string())?;
    parser.parse_user_query().map_err(|error| error.to_string())
}

fn parse_module(text: &str) -> Result<(), String> {
    let mut engine = regorus::Engine::new();
    let added = engine.add_policy(errors::QUERY_FILE.to_owned(), text.to_owned());
    added.map(drop).map_err(|error| error.to_string())
}

/// Moves the place of an error some lines up.
fn up(error: &str, lines: usize) -> String {
    let moved = |head: &str| {
        let (before, rest) = head.split_once(':')?;
        let (row, col) = rest.split_once(':')?;
        Some(format!("{before}:{}:{col}", row.parse::<usize>().ok()?.saturating_sub(lines)))
    };
    let error = error.trim_start();
    let (head, rest) = error.split_once('\n').unwrap_or((error, ""));
    moved(head).map_or_else(|| error.to_owned(), |head| format!("{head}\n{rest}"))
}

fn require_calls(tree: &ast::Query, functions: &Functions, banned: &[String]) -> Result<(), QueryError> {
    let mut wrong = Vec::new();
    let mut hollow = None;
    syntax::visit_query(tree, &mut |expression| {
        let message = match functions.callee(expression, None) {
            Some(Callee::Builtin(name) | Callee::Hollow(name)) if banned.contains(&name) => {
                format!("unsafe built-in function calls in expression: {name}")
            }
            Some(Callee::Undefined(name)) => format!("undefined function {name}"),
            Some(Callee::Hollow(name)) => return hollow = Some(name),
            Some(Callee::Rule(_) | Callee::Builtin(_)) | None => return,
        };
        wrong.push(PolicyError::new(ErrorCode::Type, message, syntax::start(expression)));
    });
    match hollow {
        _ if !wrong.is_empty() => Err(QueryError::Compile(PolicyErrors(wrong))),
        Some(name) => Err(unsupported(format!("the built-in function `{name}`")).into()),
        None => Ok(()),
    }
}

/// Lets regorus look for unsafe variables and the like, without evaluating anything.
fn require_analysis(mut analysed: regorus::Engine, text: &str) -> Result<(), QueryError> {
    let result = errors::guarded(move || {
        let done = analysed.eval_query(format!("{STOP}{text}"), false);
        done.map(drop).map_err(|error| error.to_string())
    });
    result.map_err(|error| {
        let mut error = errors::policy_error(&error, ErrorCode::Compile);
        if let Some(location) = &mut error.location {
            location.row = location.row.saturating_sub(1);
        }
        QueryError::Compile(error.into())
    })
}
