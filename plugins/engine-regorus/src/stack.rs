//! How much stack an evaluation may need.
//!
//! regorus evaluates a rule that mentions another by recursion, at 20 to 60 KB of stack for each such step in a debug
//! build, and nothing stops it before the stack overflows, which ends the process. So the longest chain of rules is
//! estimated from above when modules are compiled, and programs with long ones are evaluated on threads of their own
//! with a stack that fits. Most programs are flat and stay on the caller's thread.

use std::collections::{BTreeMap, BTreeSet};

use regent_core::engine::Module as _;
use regent_core::value::Path;
use regorus::unstable::{Expr, Rule};

use crate::documents::rule_path;
use crate::functions::import_of;
use crate::module::RegorusModule;
use crate::syntax;

/// The longest chain that is evaluated on the caller's stack: 2 MiB, the smallest usual one, hold twice as much.
const SHORT: usize = 40;

/// Stack for one step.
const STEP: usize = 64 << 10;

/// The most that is asked for; only address space, until it is used.
const MOST: usize = 1 << 30;

/// The size of the stack to evaluate the modules on; nothing if any will do.
pub(crate) fn needed(modules: &[&RegorusModule]) -> Option<usize> {
    let steps = longest_chain(&steps(modules));
    (steps > SHORT).then(|| steps.saturating_mul(STEP).clamp(16 << 20, MOST))
}

/// What stands at one path.
#[derive(Default)]
struct Step {
    /// The paths that its rules mention, or may mean.
    mentions: BTreeSet<Path>,
    /// Its own share of the stack: a step for the rule and one for every query within.
    weight: usize,
}

fn steps(modules: &[&RegorusModule]) -> BTreeMap<Path, Step> {
    let mut steps: BTreeMap<Path, Step> = BTreeMap::new();
    for module in modules {
        for rule in &module.tree().policy {
            let step = steps.entry(rule_path(module.package(), rule)).or_default();
            step.weight = step.weight.max(look_into(module, rule, &mut step.mentions));
        }
    }
    steps
}

/// Collects what a rule mentions, and tells its weight.
fn look_into(module: &RegorusModule, rule: &Rule, mentions: &mut BTreeSet<Path>) -> usize {
    let mut weight = 1;
    syntax::visit_rule(rule, &mut |expression| {
        let reference = match expression {
            Expr::Call { fcn, .. } => fcn,
            Expr::ArrayCompr { .. } | Expr::SetCompr { .. } | Expr::ObjectCompr { .. } => return weight += 1,
            _ => expression,
        };
        let (keys, _) = syntax::constant_prefix(reference);
        mentions.extend(keys.first().map(|root| absolute(module, root, &keys)));
    });
    weight
}

/// The path that a reference means in a module.
fn absolute(module: &RegorusModule, root: &str, keys: &[String]) -> Path {
    let imported = import_of(module.tree(), root).map(|target| [&target, &keys[1..]].concat());
    let keys = imported.as_deref().unwrap_or(keys);
    match keys {
        [root, below @ ..] if root == "data" => Path::new(below.iter().map(String::as_str)),
        local => local.iter().fold(module.package().clone(), |path, key| path.child(key)),
    }
}

/// The weight of the heaviest chain, or of all steps if some go round in a circle.
fn longest_chain(steps: &BTreeMap<Path, Step>) -> usize {
    let mut open: BTreeMap<&Path, usize> = steps.keys().map(|path| (path, 0)).collect();
    let mut below: BTreeMap<&Path, Vec<&Path>> = BTreeMap::new();
    for (path, step) in steps {
        let targets: BTreeSet<&Path> = step.mentions.iter().flat_map(|mention| meant(steps, mention)).collect();
        for target in targets {
            *open.entry(target).or_default() += 1;
            below.entry(path).or_default().push(target);
        }
    }
    let mut ready: Vec<&Path> = open.iter().filter(|(_, users)| **users == 0).map(|(path, _)| *path).collect();
    let mut chains: BTreeMap<&Path, usize> = BTreeMap::new();
    let mut done = 0;
    while let Some(path) = ready.pop() {
        done += 1;
        let chain = chains.entry(path).or_default();
        *chain += steps[path].weight;
        let chain = *chain;
        for target in below.get(path).into_iter().flatten() {
            let longest = chains.entry(target).or_default();
            *longest = chain.max(*longest);
            let users = open.entry(target).or_default();
            *users -= 1;
            if *users == 0 {
                ready.push(target);
            }
        }
    }
    if done == steps.len() {
        chains.into_values().max().unwrap_or(0)
    } else {
        steps.values().map(|step| step.weight).sum()
    }
}

/// The rules at a mentioned path, above it and below it.
fn meant<'a>(steps: &'a BTreeMap<Path, Step>, mention: &Path) -> impl Iterator<Item = &'a Path> {
    let above = (1..mention.len()).filter_map(|length| steps.get_key_value(&mention.prefix(length)));
    let below = steps.range(mention.clone()..).take_while(|(path, _)| path.is_within(mention));
    above.chain(below).map(|(path, _)| path).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use regent_core::engine::{RegoVersion, Source};

    use super::*;

    fn chain(text: &str) -> usize {
        let module = RegorusModule::parse(Source {
            id: "a".into(),
            file: "a".into(),
            text: text.into(),
            version: RegoVersion::V1,
            broken: Vec::new(),
        });
        longest_chain(&steps(&[&module.expect("parses")]))
    }

    #[test]
    fn chains_are_as_long_as_their_rules_are_deep() {
        assert_eq!(chain("package a\np if q\nq if data.a.r.x\nr.x.y if true\ns := 1"), 3);
        assert_eq!(chain("package a\np := f(1)\nf(x) := [y | some y in [x]]"), 3);
        assert_eq!(chain("package a\nimport data.a.q as z\np if z\nq := 1"), 2);
    }

    #[test]
    fn circles_count_all_rules() {
        assert_eq!(chain("package a\np if data.a[input.x]\nq := 1\nr := 2"), 3);
    }
}
