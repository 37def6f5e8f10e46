//! Ways through regorus's syntax tree.

use regent_core::engine::Location;
use regorus::unstable::{Expr, Literal, Query, Rule, RuleAssign, RuleHead, Span};

use crate::errors::QUERY_FILE;

/// The keys of a reference up to the first that is not constant, and whether all of them are.
pub(crate) fn constant_prefix(reference: &Expr) -> (Vec<String>, bool) {
    match reference {
        Expr::Var { span, .. } => (vec![span.text().to_owned()], true),
        Expr::RefDot { refr, field, .. } => extended(refr, Some(field.0.text().to_owned())),
        Expr::RefBrack { refr, index, .. } => extended(refr, constant_key(index)),
        _ => (Vec::new(), false),
    }
}

fn extended(parent: &Expr, key: Option<String>) -> (Vec<String>, bool) {
    let (mut keys, constant) = constant_prefix(parent);
    match key {
        Some(key) if constant => keys.push(key),
        _ => return (keys, false),
    }
    (keys, true)
}

fn constant_key(index: &Expr) -> Option<String> {
    match index {
        Expr::String { value, .. } | Expr::RawString { value, .. } => {
            value.as_string().ok().map(|key| (**key).to_owned())
        }
        Expr::Number { span, .. } => Some(span.text().to_owned()),
        _ => None,
    }
}

/// Where an expression begins. regorus places calls at their parenthesis and references at their last key.
pub(crate) fn start(expression: &Expr) -> Location {
    match expression {
        Expr::Call { fcn: first, .. } | Expr::RefDot { refr: first, .. } | Expr::RefBrack { refr: first, .. } => {
            start(first)
        }
        other => location(other.span()),
    }
}

/// Where a piece of source lies. Queries have no file.
pub(crate) fn location(span: &Span) -> Location {
    let file = span.source.get_path().as_str();
    Location {
        file: if file == QUERY_FILE { "" } else { file }.into(),
        row: usize::try_from(span.line).unwrap_or(0),
        col: usize::try_from(span.col).unwrap_or(0),
    }
}

/// Shows the visitor every expression of a rule, outer ones first.
pub(crate) fn visit_rule<'a>(rule: &'a Rule, visit: &mut dyn FnMut(&'a Expr)) {
    match rule {
        Rule::Default { value, .. } => visit_expr(value, visit),
        Rule::Spec { head, bodies, .. } => {
            match head {
                RuleHead::Compr { refr, assign, .. } => {
                    visit_spine(refr, visit);
                    visit_assign(assign.as_ref(), visit);
                }
                RuleHead::Set { refr, key, .. } => {
                    visit_spine(refr, visit);
                    visit_all(key.iter().map(AsRef::as_ref), visit);
                }
                RuleHead::Func { args, assign, .. } => {
                    visit_all(args.iter().map(AsRef::as_ref), visit);
                    visit_assign(assign.as_ref(), visit);
                }
            }
            for body in bodies {
                visit_assign(body.assign.as_ref(), visit);
                visit_query(&body.query, visit);
            }
        }
    }
}

/// Shows the visitor every expression of a query, outer ones first.
pub(crate) fn visit_query<'a>(query: &'a Query, visit: &mut dyn FnMut(&'a Expr)) {
    for statement in &query.stmts {
        match &statement.literal {
            Literal::SomeVars { .. } => (),
            Literal::SomeIn { key, value, collection, .. } => {
                visit_all(key.iter().chain([value, collection]).map(AsRef::as_ref), visit);
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => visit_expr(expr, visit),
            Literal::Every { domain, query, .. } => {
                visit_expr(domain, visit);
                visit_query(query, visit);
            }
        }
        for with in &statement.with_mods {
            visit_expr(&with.r#as, visit);
        }
    }
}

fn visit_assign<'a>(assign: Option<&'a RuleAssign>, visit: &mut dyn FnMut(&'a Expr)) {
    if let Some(assign) = assign {
        visit_expr(&assign.value, visit);
    }
}

fn visit_all<'a>(expressions: impl IntoIterator<Item = &'a Expr>, visit: &mut dyn FnMut(&'a Expr)) {
    for expression in expressions {
        visit_expr(expression, visit);
    }
}

fn visit_expr<'a>(expression: &'a Expr, visit: &mut dyn FnMut(&'a Expr)) {
    visit(expression);
    match expression {
        Expr::Array { items, .. } | Expr::Set { items, .. } => visit_all(items.iter().map(AsRef::as_ref), visit),
        Expr::Object { fields, .. } => {
            for (_, key, value) in fields {
                visit_all([key.as_ref(), value.as_ref()], visit);
            }
        }
        Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
            visit_expr(term, visit);
            visit_query(query, visit);
        }
        Expr::ObjectCompr { key, value, query, .. } => {
            visit_all([key.as_ref(), value.as_ref()], visit);
            visit_query(query, visit);
        }
        Expr::Call { params, .. } => visit_all(params.iter().map(AsRef::as_ref), visit),
        Expr::UnaryExpr { expr, .. } => visit_expr(expr, visit),
        Expr::RefDot { .. } | Expr::RefBrack { .. } => visit_spine(expression, visit),
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => visit_all([lhs.as_ref(), rhs.as_ref()], visit),
        Expr::Membership { key, value, collection, .. } => {
            visit_all(key.iter().chain([value, collection]).map(AsRef::as_ref), visit);
        }
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. }
        | Expr::Var { .. } => (),
    }
}

/// Shows the visitor what stands within a reference: not its shorter forms, but its keys, and what it starts from if
/// that is no variable.
fn visit_spine<'a>(reference: &'a Expr, visit: &mut dyn FnMut(&'a Expr)) {
    match reference {
        Expr::Var { .. } => (),
        Expr::RefDot { refr, .. } => visit_spine(refr, visit),
        Expr::RefBrack { refr, index, .. } => {
            visit_expr(index, visit);
            visit_spine(refr, visit);
        }
        other => visit_expr(other, visit),
    }
}
