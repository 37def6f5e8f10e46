//! The stages that rewrite rules, one file each.

mod comprehensions;
mod dynamics;
mod equals;
mod expr_terms;
mod heads;
mod local_vars;
mod metadata;
mod order;
mod print;
mod resolve;
mod templates;
mod with_values;

use std::sync::Arc;

pub(super) use comprehensions::comprehension_terms;
pub(super) use dynamics::dynamic_terms;
pub(super) use equals::equals;
pub(super) use expr_terms::expr_terms;
pub(super) use heads::{init_locals, refs_in_head, remove_imports, rule_head_refs};
pub(super) use local_vars::local_vars;
pub(super) use metadata::{AnnotatedSchemas, metadata_calls};
pub(super) use print::print_calls;
pub(super) use resolve::resolve_refs;
pub(super) use templates::template_strings;
pub(super) use with_values::with_values;

use crate::syntax::ast::{Module, Rule};

/// The same steps for a query, which is one body.
pub(super) mod query {
    pub(in crate::compile) use super::comprehensions::in_body as comprehension_terms;
    pub(in crate::compile) use super::dynamics::in_body as dynamic_terms;
    pub(in crate::compile) use super::expr_terms::in_body as expr_terms;
    pub(in crate::compile) use super::local_vars::in_query as local_vars;
    pub(in crate::compile) use super::print::{erase_in_body as erase_print, keep_in_body as keep_print};
    pub(in crate::compile) use super::resolve::in_query as resolve_refs;
    pub(in crate::compile) use super::templates::in_body as template_strings;
    pub(in crate::compile) use super::with_values::{Targets, in_body as with_values};
}

/// The modules with their ids.
type Modules = [(Arc<str>, Module)];

/// Calls a function with each rule and each of its `else` branches.
fn each_rule(modules: &mut Modules, mut change: impl FnMut(&mut Rule)) {
    for rule in modules.iter_mut().flat_map(|(_, module)| &mut module.rules) {
        each_branch(rule, &mut change);
    }
}

/// Calls a function with a rule and each of its `else` branches.
fn each_branch(rule: &mut Rule, mut change: impl FnMut(&mut Rule)) {
    let mut next = Some(rule);
    while let Some(rule) = next {
        change(rule);
        next = rule.else_branch.as_deref_mut();
    }
}
