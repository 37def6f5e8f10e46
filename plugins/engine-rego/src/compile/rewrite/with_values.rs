//! What `with` replaces, and what it puts there: targets are checked, and values that have to be evaluated move before
//! the expression.

use std::collections::HashMap;

use regent_core::builtin::Declaration;
use regent_core::engine::{ErrorCode, PolicyError};

use super::heads::requires_evaluation;
use crate::compile::build::{extract, is_below, renumber};
use crate::compile::check::builtin_name;
use crate::compile::{Compiler, Errors, Locals, RuleTree};
use crate::syntax::ast::{Body, Term, TermKind, With};
use crate::syntax::visit::VisitMut;
use regent_builtins::Builtins;

/// The stage for modules.
pub(in crate::compile) fn with_values(compiler: &mut Compiler<'_>) {
    let Compiler { modules, builtins, options, errors, locals, rules, .. } = compiler;
    let targets = Targets { builtins, rules, unsafe_builtins: &options.unsafe_builtins };
    let mut rewriter = Rewriter { locals, targets, errors };
    for (_, module) in modules {
        rewriter.walk_module(module);
    }
}

/// The stage for a query.
pub(in crate::compile) fn in_body(body: &mut Body, locals: &mut Locals, targets: Targets<'_>, errors: &mut Errors) {
    Rewriter { locals, targets, errors }.body(body);
}

/// What can be replaced.
pub(in crate::compile) struct Targets<'a> {
    pub(in crate::compile) builtins: &'a Builtins,
    pub(in crate::compile) rules: &'a RuleTree,
    pub(in crate::compile) unsafe_builtins: &'a [String],
}

struct Rewriter<'a> {
    locals: &'a mut Locals,
    targets: Targets<'a>,
    errors: &'a mut Errors,
}

impl Rewriter<'_> {
    fn rewrite(&mut self, body: &mut Body) {
        if body.iter().all(|expr| expr.with.is_empty()) {
            return;
        }
        // Several expressions can have come from one of the text, and have its modifiers; these are evaluated once.
        let mut done: HashMap<u32, Term> = HashMap::new();
        let mut rewritten = Body::with_capacity(body.len());
        for mut expr in body.drain(..) {
            for with in &mut expr.with {
                match self.targets.check(with) {
                    Err(error) => return self.errors.push(error),
                    Ok(false) => {}
                    Ok(true) => {
                        if let Some(variable) = done.get(&with.span.start) {
                            with.value.clone_from(variable);
                        } else {
                            rewritten.push(extract(self.locals, &mut with.value));
                            done.insert(with.span.start, with.value.clone());
                        }
                    }
                }
            }
            rewritten.push(expr);
        }
        renumber(&mut rewritten);
        *body = rewritten;
    }
}

impl VisitMut for Rewriter<'_> {
    fn body(&mut self, body: &mut Body) {
        self.rewrite(body);
        self.walk_body(body);
    }
}

impl Targets<'_> {
    /// Checks a modifier, and tells whether its value has to be evaluated.
    fn check(&self, with: &mut With) -> Result<bool, PolicyError> {
        // A function is named as a reference is.
        for term in [&mut with.value, &mut with.target] {
            if term.as_var().is_some_and(|name| self.builtins.get(name).is_some()) {
                term.kind = TermKind::Ref(vec![term.clone()]);
            }
        }
        let With { target, value, .. } = with;
        let replaces_builtin = self.names_builtin(target)?;
        if is_below(target, "data") {
            if self.replaces_rules(target, value)? || self.is_rule_function(value) {
                return Ok(false);
            }
        } else if replaces_builtin {
            let name = builtin_name(target).unwrap_or_default();
            if let Some(builtin) = self.builtins.get(&name) {
                check_builtin(builtin.declaration(), target)?;
            }
            if self.names_function(value)? {
                return Ok(false);
            }
        } else if !is_below(target, "input") {
            let message = "with keyword target must reference existing input, data, or a function";
            return Err(error(ErrorCode::Type, target, message));
        }
        Ok(requires_evaluation(value))
    }

    /// Checks a target below `data`; whether it is a function that another one replaces.
    fn replaces_rules(&self, target: &Term, value: &Term) -> Result<bool, PolicyError> {
        let Some([_, path @ .., last]) = target.as_ref() else { return Ok(false) };
        let mut node = self.rules;
        for key in path {
            let Some(child) = key.as_text().and_then(|key| node.children.get(key)) else { break };
            if !child.rules.is_empty() {
                let message = "with keyword cannot partially replace virtual document(s)";
                return Err(error(ErrorCode::Compile, target, message));
            }
            node = child;
        }
        let is_function = last.as_text().and_then(|key| node.children.get(key)).is_some_and(|node| node.arity > 0);
        Ok(is_function && self.names_function(value)?)
    }

    fn is_rule_function(&self, value: &Term) -> bool {
        value.as_ref().and_then(|reference| self.rules.at(reference)).is_some_and(|node| node.arity > 0)
    }

    fn names_function(&self, value: &Term) -> Result<bool, PolicyError> {
        let names_rules = value.as_ref().is_some_and(|reference| self.rules.at(reference).is_some());
        Ok(names_rules || self.names_builtin(value)?)
    }

    fn names_builtin(&self, term: &Term) -> Result<bool, PolicyError> {
        let Some(name) = builtin_name(term) else { return Ok(false) };
        if self.unsafe_builtins.contains(&name) {
            let message = format!("with keyword replacing built-in function: target must not be unsafe: {name:?}");
            return Err(error(ErrorCode::Compile, term, message));
        }
        Ok(self.builtins.get(&name).is_some())
    }
}

/// Finds built-in functions that cannot be replaced.
fn check_builtin(builtin: &Declaration, target: &Term) -> Result<(), PolicyError> {
    let name = &builtin.name;
    let problem = if matches!(&**name, "eq" | "rego.metadata.chain" | "rego.metadata.rule") {
        format!("replacement of {name:?} invalid")
    } else if is_below(target, "internal") {
        format!("replacement of internal function {name:?} invalid")
    } else if builtin.relation {
        "target must not be a relation".to_owned()
    } else if builtin.result.is_none() {
        "target must not be a void function".to_owned()
    } else {
        return Ok(());
    };
    Err(error(ErrorCode::Compile, target, format!("with keyword replacing built-in function: {problem}")))
}

fn error(code: ErrorCode, at: &Term, message: impl Into<String>) -> PolicyError {
    PolicyError::new(code, message, at.span.location())
}
