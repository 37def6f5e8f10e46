//! Rules whose input is known.

use std::collections::{BTreeSet, HashSet};

use regent_core::Value;
use regent_core::engine::{ErrorCode, PolicyError};

use super::body::Checker;
use super::env::TypeEnv;
use super::{report, rules, schema};
use crate::compile::Compiler;
use crate::compile::check::graph::{Branch, RuleGraph};
use crate::compile::check::originals::Originals;
use crate::compile::check::paths::{constant, ground_path};
use crate::compile::check::walk::branches;
use crate::syntax::ast::Module;

/// Checks the rules of a document against the schema of its input, and with them the rules that they depend on, as far
/// as these are in the same packages or below. What other packages make is taken as it is.
pub(in crate::compile) fn known_input(compiler: &mut Compiler<'_>) {
    let Compiler { modules, builtins, errors, locals, order, options, .. } = compiler;
    let Some(known) = &options.known_input else { return };
    let input = match schema::load(&known.schema, &options.network) {
        Ok(ty) => ty,
        Err(problem) => return errors.push(PolicyError::new(ErrorCode::Type, problem, None)),
    };
    let package = |branch: &Branch| package(&modules[branch.rule.module].1);
    let document: Vec<Value> = known.document.segments().iter().map(|key| Value::from(&**key)).collect();
    let makes = |branch: &&Branch| {
        let module = &modules[branch.rule.module].1;
        let path: Vec<Value> =
            package(branch).into_iter().chain(ground_path(&module.rules[branch.rule.rule])).collect();
        branch.depth == 0 && (path.starts_with(&document) || document.starts_with(&path))
    };
    let start: Vec<Branch> = order.iter().filter(makes).copied().collect();
    let packages: BTreeSet<Vec<Value>> = start.iter().map(package).collect();
    let reached: HashSet<Branch> = RuleGraph::new(modules).reached_from(&start);
    let originals = Originals::new([&locals.originals]);
    let mut env = TypeEnv::default();
    let mut found = Vec::new();
    for branch in order.iter().filter(|branch| reached.contains(branch)) {
        let (_, module) = &modules[branch.rule.module];
        let Some(rule) = branches(&module.rules[branch.rule.rule]).nth(branch.depth) else { continue };
        let own = package(branch);
        env.input = packages.iter().any(|package| own.starts_with(package)).then(|| input.clone());
        let (wrong, entry) = rules::check(module, rule, Checker::new(builtins, &env, originals.clone()));
        found.extend(wrong);
        if let Some(entry) = entry {
            env.add(entry);
        }
    }
    report(found, errors);
}

/// The path of the module's package below `data`.
fn package(module: &Module) -> Vec<Value> {
    module.package.path.iter().skip(1).filter_map(constant).collect()
}
