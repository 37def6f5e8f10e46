//! Variables that are declared get names of their own, so that no two scopes share one.
//!
//! `x := 1; p[x]` becomes `__local0__ = 1; p[__local0__]`. The same holds for what `some` and `every` declare and for
//! the parameters of functions. On the way, redeclarations and unused variables are found.

mod heads;
mod scopes;
mod unused;

use regent_core::engine::{ErrorCode, PolicyError};

use self::scopes::{Occurrence, Scopes};
use self::unused::Declarations;
use super::order;
use crate::compile::build::{always, is_assignment, is_below, is_root_document, operator, push};
use crate::compile::check::Arities;
use crate::compile::check::outputs;
use crate::compile::check::vars::{Scope, VarSet};
use crate::compile::declared::declared;
use crate::compile::locals::is_wildcard;
use crate::compile::{Compiler, Errors, Locals};
use crate::syntax::ast::{Body, Comprehension, Expr, ExprKind, Span, Term, TermKind, Var, With};
use crate::syntax::visit::VisitMut;

/// The stage for modules. In strict mode, it also finds variables and parameters that nothing uses.
pub(in crate::compile) fn local_vars(compiler: &mut Compiler<'_>) {
    let Compiler { modules, builtins, options, errors, locals, rules, .. } = compiler;
    let arities = Arities::new(builtins, rules);
    for rule in modules.iter_mut().flat_map(|(_, module)| &mut module.rules) {
        let mut renamer = Renamer::new(locals, &arities, options.strict);
        renamer.rule(rule, errors);
        if errors.is_full() {
            return;
        }
    }
}

/// The stage for a query.
pub(in crate::compile) fn in_query(
    body: &mut Body,
    locals: &mut Locals,
    arities: &Arities<'_>,
    strict: bool,
    errors: &mut Errors,
) {
    let mut renamer = Renamer::new(locals, arities, strict);
    renamer.block(body, &VarSet::new());
    renamer.finish(errors);
}

/// Renames the variables of one rule or query.
struct Renamer<'a> {
    locals: &'a mut Locals,
    arities: &'a Arities<'a>,
    strict: bool,
    scopes: Scopes,
    errors: Vec<PolicyError>,
}

impl<'a> Renamer<'a> {
    fn new(locals: &'a mut Locals, arities: &'a Arities<'a>, strict: bool) -> Self {
        Self { locals, arities, strict, scopes: Scopes::default(), errors: Vec::new() }
    }

    /// Hands over what was found and starts anew.
    fn finish(&mut self, errors: &mut Errors) {
        self.errors.drain(..).for_each(|error| errors.push(error));
        let originals = std::mem::take(&mut self.scopes).originals;
        // Not `append`, which goes over all that there are.
        self.locals.originals.extend(originals);
    }

    fn error(&mut self, span: &Span, message: impl Into<String>) {
        self.errors.push(PolicyError::new(ErrorCode::Compile, message, span.location()));
    }

    /// Declares a variable, or says why that cannot be.
    fn declare(&mut self, name: &Var, how: Occurrence, span: &Span) -> Option<Var> {
        match self.scopes.declare(name, how, self.locals) {
            Ok(generated) => Some(generated),
            Err(message) => {
                self.error(span, message);
                None
            }
        }
    }

    /// A body within the innermost scope. `used` are the variables that are used beside it.
    fn block(&mut self, body: &mut Body, used: &VarSet) {
        let start = body.first().map(|expr| expr.span.clone()).unwrap_or_default();
        let mut at = Declarations { start, statements: Vec::new() };
        let mut rewritten = Body::with_capacity(body.len());
        for mut expr in body.drain(..) {
            let keep = match &expr.kind {
                ExprKind::Some(_) => {
                    at.statements.push((declared(std::slice::from_ref(&expr)), expr.span.clone()));
                    self.some(&mut expr)
                }
                ExprKind::Every(_) => self.every(&mut expr),
                _ if is_assignment(&expr) => self.assignment(&mut expr),
                _ => {
                    self.expr(&mut expr);
                    true
                }
            };
            if keep {
                push(&mut rewritten, expr);
            }
        }
        if rewritten.is_empty() {
            push(&mut rewritten, always(at.start.clone()));
        }
        if self.strict && self.errors.is_empty() {
            self.errors = unused::assigned(&rewritten, &at, &self.scopes, used);
        }
        if self.errors.is_empty() {
            self.errors = unused::declared(&rewritten, &at, &self.scopes, used);
        }
        *body = rewritten;
    }

    /// `pattern := term`. What is on the right belongs to what was declared before.
    fn assignment(&mut self, expr: &mut Expr) -> bool {
        if expr.negated {
            self.error(&expr.span, "cannot assign vars inside negated expression");
            return true;
        }
        let ExprKind::Call(terms) = &mut expr.kind else { return true };
        let [assign, pattern, term] = &mut terms[..] else { return true };
        self.term(term);
        expr.with.iter_mut().for_each(|with| self.term(&mut with.value));
        let before = self.errors.len();
        self.assigned(pattern);
        if self.errors.len() == before {
            *assign = operator("eq", &assign.span);
        }
        true
    }

    fn assigned(&mut self, pattern: &mut Term) {
        let document =
            if is_root_document(pattern) { pattern.as_ref().and_then(|parts| parts[0].as_var()) } else { None };
        match document.or(pattern.as_var()).cloned() {
            Some(name) => {
                if let Some(generated) = self.declare(&name, Occurrence::Assigned, &pattern.span) {
                    pattern.kind = TermKind::Var(generated);
                }
            }
            None => match &mut pattern.kind {
                TermKind::Array(items) => items.iter_mut().for_each(|item| self.assigned(item)),
                TermKind::Object(entries) => entries.iter_mut().for_each(|(_, value)| self.assigned(value)),
                _ => {
                    let message = format!("cannot assign to {}", pattern.kind_name());
                    self.error(&pattern.span, message);
                }
            },
        }
    }

    /// A `some` statement; `false` if nothing is left of it.
    fn some(&mut self, expr: &mut Expr) -> bool {
        let ExprKind::Some(symbols) = &mut expr.kind else { return true };
        for symbol in std::mem::take(symbols) {
            match symbol.kind {
                TermKind::Var(name) if self.declare(&name, Occurrence::Declared, &expr.span).is_none() => {
                    return false;
                }
                TermKind::Call(terms) => return self.some_in(expr, terms),
                _ => {}
            }
        }
        false
    }

    /// `some key, value in collection`, which becomes `value = collection[key]`.
    fn some_in(&mut self, expr: &mut Expr, mut terms: Vec<Term>) -> bool {
        let Some(collection) = terms.pop() else { return false };
        let Some(value) = terms.pop() else { return false };
        let span = collection.span.clone();
        let key = match terms.pop() {
            Some(key) if !terms.is_empty() => key,
            _ => Term::var(self.locals.generate(), span.clone()),
        };
        let bound = Scope::All.of_terms([&collection]);
        let parts = match collection.kind {
            TermKind::Ref(mut parts) => {
                parts.push(key);
                parts
            }
            kind => vec![Term::new(kind, span.clone()), key],
        };
        let element = Term::new(TermKind::Ref(parts), span);
        expr.kind = ExprKind::Call(vec![operator("eq", &expr.span), value, element]);
        // Whether the modifiers are bound has no say in what is declared.
        let modifiers = std::mem::take(&mut expr.with);
        let outputs = outputs::of_expr(expr, self.arities, &bound);
        expr.with = modifiers;
        for name in outputs.iter().filter(|name| !bound.contains(*name)) {
            if self.declare(name, Occurrence::Declared, &expr.span).is_none() {
                return false;
            }
        }
        self.expr(expr);
        true
    }

    /// An `every` statement; `false` if it declares what is declared already.
    fn every(&mut self, expr: &mut Expr) -> bool {
        let ExprKind::Every(every) = &mut expr.kind else { return true };
        self.term(&mut every.domain);
        self.scopes.push();
        let key = if let Some(key) = every.key.as_mut() {
            self.quantified(key, &every.span)
        } else {
            every.key = Some(Term::var(self.locals.generate(), every.span.clone()));
            true
        };
        let keep = key && self.quantified(&mut every.value, &every.span);
        if keep {
            self.block(&mut every.body, &VarSet::new());
            // OPA looks at the domain once more, now with the variables of `every` in sight.
            if matches!(every.domain.kind, TermKind::Var(_) | TermKind::Ref(_)) {
                self.term(&mut every.domain);
            }
            expr.with.iter_mut().for_each(|with| self.with(with));
        }
        self.scopes.pop();
        keep
    }

    fn quantified(&mut self, variable: &mut Term, span: &Span) -> bool {
        let Some(name) = variable.as_var().filter(|name| !is_wildcard(name)).cloned() else { return true };
        let generated = self.declare(&name, Occurrence::Declared, span);
        let is_declared = generated.is_some();
        if let Some(generated) = generated {
            variable.kind = TermKind::Var(generated);
        }
        is_declared
    }

    /// A comprehension: its body, then what it collects, in a scope of their own.
    fn comprehension(&mut self, terms: &mut [&mut Term], body: &mut Body) {
        let used = Scope::All.of_terms(terms.iter().map(|term| &**term));
        self.scopes.push();
        self.block(body, &used);
        for term in terms {
            self.term(term);
        }
        self.scopes.pop();
    }

    fn check_operator(&mut self, function: &Term, span: &Span) {
        let operator = Scope::All.of_terms([function]);
        if operator.iter().any(|name| self.scopes.find(name).is_some_and(|entry| entry.name != *name)) {
            self.error(span, format!("called function {function} shadowed"));
        }
    }
}

impl VisitMut for Renamer<'_> {
    fn with(&mut self, with: &mut With) {
        self.term(&mut with.target);
        // A target stays `input` even where a variable of that name hides the document.
        if let Some(shadow) = self.scopes.find("input").map(|entry| entry.name.clone()) {
            let input = Term::var("input", with.target.span.clone());
            match &mut with.target.kind {
                TermKind::Var(name) if *name == shadow => with.target.kind = TermKind::Ref(vec![input]),
                TermKind::Ref(parts) if parts.first().and_then(Term::as_var) == Some(&shadow) => parts[0] = input,
                _ => {}
            }
        }
        self.term(&mut with.value);
    }

    fn term(&mut self, term: &mut Term) {
        if is_root_document(term) {
            let document = if is_below(term, "input") { "input" } else { "data" };
            if let Some(entry) = self.scopes.find(document).filter(|entry| entry.occurrence != Occurrence::Seen) {
                term.kind = TermKind::Var(entry.name.clone());
            }
            return;
        }
        match &mut term.kind {
            TermKind::Var(name) => {
                if let Some(generated) = self.scopes.see(name) {
                    *name = generated;
                }
            }
            TermKind::Call(terms) => {
                if let Some(function) = terms.first() {
                    self.check_operator(function, &term.span);
                }
                self.walk_term(term);
            }
            TermKind::Object(_) | TermKind::Set(_) => {
                self.walk_term(term);
                order::restore(term);
            }
            TermKind::ArrayComprehension(parts) | TermKind::SetComprehension(parts) => {
                let Comprehension { term, body } = &mut **parts;
                self.comprehension(&mut [term], body);
            }
            TermKind::ObjectComprehension(parts) => {
                let parts = &mut **parts;
                self.comprehension(&mut [&mut parts.key, &mut parts.value], &mut parts.body);
            }
            _ => self.walk_term(term),
        }
    }
}
