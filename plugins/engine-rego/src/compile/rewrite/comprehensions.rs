//! What comprehensions collect becomes a variable of their bodies where it has to be evaluated.
//!
//! `[x[0] | x = y[_]]` becomes `[__local0__ | x = y[_]; __local0__ = x[0]]`.

use std::collections::HashMap;

use super::heads::requires_evaluation;
use crate::compile::build::{extract, push};
use crate::compile::{Compiler, Locals};
use crate::syntax::ast::{Body, Term, TermKind, With};
use crate::syntax::visit::VisitMut;

/// The stage for modules.
pub(in crate::compile) fn comprehension_terms(compiler: &mut Compiler<'_>) {
    let Compiler { modules, locals, .. } = compiler;
    for rule in modules.iter_mut().flat_map(|(_, module)| &mut module.rules) {
        Rewriter { locals, modifiers: HashMap::new() }.rule(rule);
    }
}

/// The stage for a query.
pub(in crate::compile) fn in_body(body: &mut Body, locals: &mut Locals) {
    Rewriter { locals, modifiers: HashMap::new() }.body(body);
}

struct Rewriter<'a> {
    locals: &'a mut Locals,
    /// The values of modifiers by where they begin: several expressions can have come from one of the text, and have its
    /// modifiers.
    modifiers: HashMap<u32, Term>,
}

impl VisitMut for Rewriter<'_> {
    fn with(&mut self, with: &mut With) {
        if matches!(with.value.kind, TermKind::Scalar(_) | TermKind::Var(_)) {
            return;
        }
        if let Some(rewritten) = self.modifiers.get(&with.span.start) {
            with.value.clone_from(rewritten);
        } else {
            self.term(&mut with.value);
            self.modifiers.insert(with.span.start, with.value.clone());
        }
    }

    fn term(&mut self, term: &mut Term) {
        match &mut term.kind {
            TermKind::ArrayComprehension(parts) | TermKind::SetComprehension(parts)
                if requires_evaluation(&parts.term) =>
            {
                push(&mut parts.body, extract(self.locals, &mut parts.term));
            }
            TermKind::ObjectComprehension(parts) => {
                for term in [&mut parts.key, &mut parts.value] {
                    if requires_evaluation(term) {
                        push(&mut parts.body, extract(self.locals, term));
                    }
                }
            }
            _ => {}
        }
        self.walk_term(term);
    }
}
