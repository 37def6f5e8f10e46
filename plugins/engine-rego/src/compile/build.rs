//! Makes and recognises expressions.

use super::Locals;
use crate::syntax::ast::{Body, Comprehension, Expr, ExprKind, Ref, Span, Term, TermKind, With};

/// A reference to a function: `eq`, `internal.print`.
pub(crate) fn operator(name: &str, span: &Span) -> Term {
    let mut parts = name.split('.');
    let mut reference: Ref = parts.next().map(|head| Term::var(head, span.clone())).into_iter().collect();
    reference.extend(parts.map(|part| Term::scalar(part, span.clone())));
    Term::new(TermKind::Ref(reference), span.clone())
}

/// An expression that nothing is said of but its kind and place.
pub(crate) fn expr(kind: ExprKind, span: Span) -> Expr {
    Expr { kind, negated: false, with: Vec::new(), index: 0, generated: false, span }
}

/// The expression `true`.
pub(crate) fn always(span: Span) -> Expr {
    expr(ExprKind::Term(Term::scalar(true, span.clone())), span)
}

/// `left = right`
pub(crate) fn equality(left: Term, right: Term, span: Span) -> Expr {
    expr(ExprKind::Call(vec![operator("eq", &span), left, right]), span)
}

/// Puts a new variable in the place of a term, and gives the generated equality of both.
pub(crate) fn extract(locals: &mut Locals, term: &mut Term) -> Expr {
    let variable = Term::var(locals.generate(), term.span.clone());
    let extracted = std::mem::replace(term, variable.clone());
    let span = extracted.span.clone();
    Expr { generated: true, ..equality(variable, extracted, span) }
}

/// `{x | x = term}` with a new variable: the value of the term, or nothing where it is undefined.
pub(crate) fn captured(locals: &mut Locals, term: Term, with: Vec<With>, span: &Span) -> Term {
    let variable = Term::var(locals.generate(), span.clone());
    let capture = Expr { with, ..equality(variable.clone(), term, span.clone()) };
    let parts = Comprehension { term: variable, body: vec![capture] };
    Term::new(TermKind::SetComprehension(Box::new(parts)), span.clone())
}

/// Adds an expression to the end of a body.
pub(crate) fn push(body: &mut Body, expr: Expr) {
    body.push(Expr { index: body.len(), ..expr });
}

/// Gives the expressions of a body their places.
pub(crate) fn renumber(body: &mut Body) {
    body.iter_mut().enumerate().for_each(|(index, expr)| expr.index = index);
}

/// The operator of a call.
pub(crate) fn called(expr: &Expr) -> Option<&[Term]> {
    match &expr.kind {
        ExprKind::Call(terms) => terms.first().and_then(Term::as_ref),
        _ => None,
    }
}

/// Whether an expression calls the function of that name.
pub(crate) fn calls(expr: &Expr, name: &str) -> bool {
    called(expr).is_some_and(|operator| is_named(operator, name))
}

/// Whether a reference names that function.
pub(crate) fn is_named(reference: &[Term], name: &str) -> bool {
    let mut parts = name.split('.');
    let Some((head, tail)) = reference.split_first() else { return false };
    head.as_var().map(|var| &**var) == parts.next() && tail.iter().map(Term::as_text).eq(parts.map(Some))
}

/// Whether an expression is `x = y`, with any number of operands.
pub(crate) fn is_equality(expr: &Expr) -> bool {
    calls(expr, "eq")
}

/// Whether an expression is `x := y`, with any number of operands.
pub(crate) fn is_assignment(expr: &Expr) -> bool {
    calls(expr, "assign")
}

/// Whether a term is `input` or `data` as a whole.
pub(crate) fn is_root_document(term: &Term) -> bool {
    matches!(term.as_ref(), Some([head]) if head.as_var().is_some_and(|name| matches!(&**name, "input" | "data")))
}

/// Whether a reference begins with that root document.
pub(crate) fn is_below(term: &Term, document: &str) -> bool {
    term.as_ref().and_then(|parts| parts.first()).and_then(Term::as_var).is_some_and(|head| &**head == document)
}
