//! The variables of rules: their parameters and the rest of their heads.

use regent_core::engine::ErrorCode;

use super::Renamer;
use super::scopes::{Occurrence, Scopes};
use crate::compile::Errors;
use crate::compile::check::vars::{Scope, VarSet};
use crate::compile::locals::is_wildcard;
use crate::compile::rewrite::order;
use crate::syntax::ast::{Head, Rule, TemplatePart, Term, TermKind};
use crate::syntax::visit::VisitMut;

impl Renamer<'_> {
    /// A rule with its `else` branches. They share the parameters.
    pub(super) fn rule(&mut self, rule: &mut Rule, errors: &mut Errors) {
        let (span, mut unused) = (rule.head.span.clone(), VarSet::new());
        if self.strict {
            unused = Scope::All.of_terms(rule.head.args.iter().flatten());
        }
        rule.head.args.iter_mut().flatten().for_each(|arg| Parameters(self).term(arg));
        let parameters = self.scopes.clone();
        self.finish(errors);
        let mut next = Some(rule);
        while let Some(branch) = next {
            self.scopes = parameters.clone();
            self.branch(branch, &mut unused, errors);
            unused.retain(|name| self.scopes.find(name).is_none_or(|entry| entry.count <= 1));
            self.finish(errors);
            next = branch.else_branch.as_deref_mut();
        }
        for name in unused.iter().filter(|name| !is_wildcard(name)) {
            let message = format!("unused argument {name}. (hint: use _ (wildcard variable) instead)");
            errors.add(ErrorCode::Compile, &span, message);
        }
    }

    fn branch(&mut self, rule: &mut Rule, unused: &mut VarSet, errors: &mut Errors) {
        let parameters = std::mem::take(&mut self.scopes);
        let mut used = VarSet::new();
        let has_variables = own_terms(&mut rule.head).any(|term| !matches!(term.kind, TermKind::Scalar(_)));
        if has_variables {
            // Closures in the head have scopes of their own, in which nothing of the body is declared.
            let head = &mut rule.head;
            let terms = head.args.iter_mut().flatten().chain(&mut head.key).chain(&mut head.value);
            terms.for_each(|term| Closures(self).term(term));
            self.finish(errors);
            used = Scope::All.of_terms(head.reference.iter().skip(1).chain(&head.key));
            let mut in_value = Scope::All.of_terms(&head.value);
            unused.retain(|name| !in_value.contains(name));
            used.append(&mut in_value);
        }
        self.scopes = parameters;
        self.block(&mut rule.body, &used);
        if has_variables {
            own_terms(&mut rule.head).for_each(|term| Names(&self.scopes).term(term));
        }
    }
}

/// The terms of a head but for the rule's name.
fn own_terms(head: &mut Head) -> impl Iterator<Item = &mut Term> {
    let reference = head.reference.iter_mut().skip(1);
    head.args.iter_mut().flatten().chain(reference).chain(&mut head.key).chain(&mut head.value)
}

/// Declares the parameters of a function.
struct Parameters<'r, 'a>(&'r mut Renamer<'a>);

impl VisitMut for Parameters<'_, '_> {
    fn term(&mut self, term: &mut Term) {
        match &mut term.kind {
            TermKind::Var(name) => {
                if let Some(known) = self.0.scopes.find(name) {
                    let known = known.name.clone();
                    self.0.scopes.see(name);
                    *name = known;
                } else if let Ok(generated) = self.0.scopes.declare(name, Occurrence::Parameter, self.0.locals) {
                    *name = generated;
                }
            }
            TermKind::Object(entries) => entries.iter_mut().for_each(|(_, value)| self.term(value)),
            TermKind::Call(_) => self.0.error(&term.span, "rule arguments cannot contain calls"),
            TermKind::Ref(_) | TermKind::Array(_) => self.walk_term(term),
            _ => {}
        }
    }
}

/// Renames what closures in a head declare.
struct Closures<'r, 'a>(&'r mut Renamer<'a>);

impl VisitMut for Closures<'_, '_> {
    fn term(&mut self, term: &mut Term) {
        match &mut term.kind {
            TermKind::ArrayComprehension(_) | TermKind::SetComprehension(_) | TermKind::ObjectComprehension(_) => {
                self.0.term(term);
            }
            TermKind::Template(template) => {
                for part in &mut template.parts {
                    if let TemplatePart::Expr(expr) = part {
                        self.0.scopes.push();
                        self.0.expr(expr);
                        self.0.scopes.pop();
                    }
                }
            }
            _ => return self.walk_term(term),
        }
        let originals = std::mem::take(&mut self.0.scopes).originals;
        self.0.scopes.originals = originals;
    }
}

/// Renames the variables that a body or the parameters declare.
struct Names<'s>(&'s Scopes);

impl VisitMut for Names<'_> {
    fn term(&mut self, term: &mut Term) {
        if let TermKind::Var(name) = &mut term.kind {
            if let Some(entry) = self.0.innermost().get(name) {
                *name = entry.name.clone();
            }
        } else {
            self.walk_term(term);
            order::restore(term);
        }
    }
}
