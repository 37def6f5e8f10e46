//! Which rules depend on which, and rules that depend on themselves.

mod edges;
mod order;

use regent_core::engine::ErrorCode;

pub(crate) use self::edges::{Branch, RuleGraph};
use super::text;
use super::walk::branches;
use crate::compile::Compiler;

/// The stage that finds rules that depend on themselves, and notes the others with what they depend on first.
pub(in crate::compile) fn recursion(compiler: &mut Compiler<'_>) {
    let graph = RuleGraph::new(&compiler.modules);
    let groups = graph.groups();
    let Compiler { modules, errors, order, .. } = compiler;
    let name = |branch: &Branch| {
        let (_, module) = &modules[branch.rule.module];
        text::reference(&text::rule_path(module, &module.rules[branch.rule.rule]))
    };
    let mut recursive: Vec<&Branch> = graph.recursive(&groups).collect();
    recursive.sort();
    for branch in recursive {
        if errors.is_full() {
            return;
        }
        let path: Vec<String> = graph.cycle(branch, &groups).into_iter().map(name).collect();
        let message = format!("rule {} is recursive: {}", name(branch), path.join(" -> "));
        let rule = branches(&modules[branch.rule.module].1.rules[branch.rule.rule]).nth(branch.depth);
        let place = rule.map(|rule| &rule.span);
        if let Some(place) = place {
            errors.add(ErrorCode::Recursion, place, message);
        }
    }
    *order = graph.branches_in(&groups);
}
