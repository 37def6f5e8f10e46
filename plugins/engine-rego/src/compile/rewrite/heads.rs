//! The heads of rules: what has to be evaluated for them moves into their bodies.

use regent_core::engine::{Capabilities, ErrorCode};

use crate::compile::build::{extract, push};
use crate::compile::{Compiler, Errors, Locals};
use crate::syntax::ast::{Rule, Term, TermKind};
use crate::syntax::order::compare;
use crate::syntax::visit::Visit;

use super::each_rule;

/// The stage that makes generated variables differ from those of the texts.
pub(in crate::compile) fn init_locals(compiler: &mut Compiler<'_>) {
    compiler.locals = Locals::for_modules(compiler.modules.iter().map(|(_, module)| module));
}

/// The stage that leaves only variables and scalars in the references of heads.
pub(in crate::compile) fn rule_head_refs(compiler: &mut Compiler<'_>) {
    let Compiler { modules, locals, options, errors, .. } = compiler;
    let heads = options.capabilities.as_deref().map_or(Heads::Any, Heads::of);
    for rule in modules.iter_mut().flat_map(|(_, module)| &mut module.rules) {
        heads.check(rule, errors);
        rule_head_ref(rule, locals);
    }
}

/// What the heads of rules may be.
#[derive(Clone, Copy)]
enum Heads {
    /// Any references.
    Any,
    /// References whose parts are strings, but for the last one.
    Prefixed,
    /// Names.
    Named,
}

impl Heads {
    /// What capabilities allow for.
    fn of(capabilities: &Capabilities) -> Self {
        if capabilities.has_feature("rule_head_refs") || capabilities.has_feature("rego_v1") {
            Self::Any
        } else if capabilities.has_feature("rule_head_ref_string_prefixes") {
            Self::Prefixed
        } else {
            Self::Named
        }
    }

    fn check(self, rule: &Rule, errors: &mut Errors) {
        let head = &rule.head;
        let shown = || Term::new(TermKind::Ref(head.reference.clone()), rule.span.clone());
        let is_partial_set = head.value.is_none();
        match self {
            Self::Any => {}
            Self::Named => {
                // A name with one key is how partial objects and sets were always written.
                let is_old = head.reference.len() == 1 || (head.reference.len() == 2 && head.key.is_some());
                if !is_old {
                    let message = format!("rule heads with refs are not supported: {}", shown());
                    errors.add(ErrorCode::Compile, &rule.span, message);
                }
            }
            Self::Prefixed => {
                let last = head.reference.len() - 1;
                let parts = head.reference.iter().enumerate().skip(1);
                for _ in parts.filter(|(at, part)| (is_partial_set || *at != last) && part.as_text().is_none()) {
                    let message =
                        format!("rule heads with general refs (containing variables) are not supported: {}", shown());
                    errors.add(ErrorCode::Type, &rule.span, message);
                }
            }
        }
    }
}

fn rule_head_ref(rule: &mut Rule, locals: &mut Locals) {
    let last = rule.head.reference.len().saturating_sub(1);
    for (position, part) in rule.head.reference.iter_mut().enumerate().skip(1) {
        if matches!(part.kind, TermKind::Var(_) | TermKind::Scalar(_)) {
            continue;
        }
        let key = rule.head.key.as_mut().filter(|key| position == last && compare(key, part).is_eq());
        let equality = extract(locals, part);
        if let Some(key) = key {
            *key = part.clone();
        }
        push(&mut rule.body, equality);
    }
}

/// The stage that drops the imports, which are of no use any more.
pub(in crate::compile) fn remove_imports(compiler: &mut Compiler<'_>) {
    for (_, module) in &mut compiler.modules {
        module.imports.clear();
    }
}

/// The stage that leaves nothing in heads that has to be evaluated.
pub(in crate::compile) fn refs_in_head(compiler: &mut Compiler<'_>) {
    let Compiler { modules, locals, .. } = compiler;
    each_rule(modules, |rule| {
        let head = &mut rule.head;
        for term in head.key.iter_mut().chain(&mut head.value).chain(head.args.iter_mut().flatten()) {
            if requires_evaluation(term) {
                push(&mut rule.body, extract(locals, term));
            }
        }
    });
}

/// Whether a term holds a reference or a comprehension.
pub(super) fn requires_evaluation(term: &Term) -> bool {
    let mut finder = Finder(false);
    finder.term(term);
    finder.0
}

struct Finder(bool);

impl Visit for Finder {
    fn term(&mut self, term: &Term) {
        self.0 = self.0
            || matches!(
                term.kind,
                TermKind::Ref(_)
                    | TermKind::ArrayComprehension(_)
                    | TermKind::SetComprehension(_)
                    | TermKind::ObjectComprehension(_)
            );
        if !self.0 {
            self.walk_term(term);
        }
    }
}
