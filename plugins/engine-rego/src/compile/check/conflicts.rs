//! Rules that cannot stand beside each other.

use std::collections::BTreeMap;

use regent_core::Value;
use regent_core::engine::ErrorCode;

use super::originals::Originals;
use super::paths::{Node, RulePaths, constant, ground_path, is_ground};
use super::text;
use crate::compile::{Compiler, Errors, RuleId, documents};
use crate::syntax::ast::{Module, Rule, Term};

/// The stage that finds rules of one name but different kinds, rules below rules, several defaults, and packages in the
/// place of rules.
pub(in crate::compile) fn rule_conflicts(compiler: &mut Compiler<'_>) {
    let paths = RulePaths::new(&compiler.modules);
    let Compiler { modules, options, errors, locals, .. } = compiler;
    let modules: Vec<&Module> = modules.iter().map(|(_, module)| module).collect();
    let rules = Rules { modules: &modules, originals: Originals::new([&locals.originals]) };
    for node in paths.below(RulePaths::ROOT) {
        if errors.is_full() {
            return;
        }
        if !node.rules.is_empty() {
            rules.check(node, &paths, errors);
        }
    }
    if let Some(base) = &options.base {
        let documents = documents(modules.iter().copied());
        documents.iter().filter_map(|document| document.conflict(base)).for_each(|error| errors.push(error));
    }
    packages_over_rules(&modules, errors);
}

struct Rules<'m> {
    modules: &'m [&'m Module],
    originals: Originals<'m>,
}

/// What decides whether rules fit together.
#[derive(PartialEq, Eq)]
struct Shape {
    is_set: bool,
    parameters: usize,
    is_complete: bool,
}

impl Rules<'_> {
    fn rule(&self, id: RuleId) -> (&Module, &Rule) {
        let module = self.modules[id.module];
        (module, &module.rules[id.rule])
    }

    fn path(&self, id: RuleId) -> Vec<Term> {
        let (module, rule) = self.rule(id);
        text::rule_path(module, rule).iter().map(|part| self.originals.restored(part)).collect()
    }

    fn shape(&self, id: RuleId) -> Shape {
        let (_, rule) = self.rule(id);
        let is_set = rule.head.value.is_none();
        let parameters = rule.head.args.iter().flatten().count();
        Shape { is_set, parameters, is_complete: !is_set && is_ground(rule) }
    }

    /// Checks the rules of one path.
    fn check(&self, node: &Node, paths: &RulePaths, errors: &mut Errors) {
        let (Some(&first), Some(&last)) = (node.rules.first(), node.rules.last()) else {
            return;
        };
        let place = &self.rule(first).1.span;
        let name = || text::reference(&self.path(last));
        let below = self.below(node, paths);
        if !below.is_empty() {
            let message = format!("rule {} conflicts with [{}]", name(), below.join(" "));
            return errors.add(ErrorCode::Type, place, message);
        }
        let shape = self.shape(first);
        if node.rules.iter().any(|&id| self.shape(id) != shape) {
            return errors.add(ErrorCode::Type, place, format!("conflicting rules {} found", name()));
        }
        let defaults: Vec<(&Module, &Rule)> =
            node.rules.iter().map(|&id| self.rule(id)).filter(|(_, rule)| rule.default).collect();
        if let [(module, _), _, ..] = defaults[..] {
            let places: Vec<String> = defaults.iter().map(|(_, rule)| rule.span.location().to_string()).collect();
            let message = format!("multiple default rules {} found at {}", name(), places.join(", "));
            errors.add(ErrorCode::Type, &module.package.span, message);
        }
    }

    /// The paths of the rules below rules that have no variable in theirs, the shortest of each branch.
    fn below(&self, node: &Node, paths: &RulePaths) -> Vec<String> {
        if node.children.is_empty() || !node.rules.iter().any(|&id| is_ground(self.rule(id).1)) {
            return Vec::new();
        }
        let mut found: Vec<Vec<Term>> = Vec::new();
        for &child in node.children.values() {
            let mut shortest: Vec<Vec<Term>> = Vec::new();
            for id in paths.below(child).flat_map(|node| node.rules.iter().copied()) {
                let path = self.path(id);
                let known = shortest.last().is_some_and(|shorter| starts_with(&path, shorter));
                if !known {
                    shortest.push(path);
                }
            }
            found.append(&mut shortest);
        }
        found.iter().map(|path| text::reference(path)).collect()
    }
}

/// Whether a path is equal to another one or below it.
fn starts_with(path: &[Term], start: &[Term]) -> bool {
    let same = |(a, b): (&Term, &Term)| match (constant(a), constant(b)) {
        (None, None) => a.as_var().is_some() && a.as_var() == b.as_var(),
        (a, b) => a == b,
    };
    // The head is `data` in both.
    path.len() >= start.len() && path.iter().zip(start).skip(1).all(same)
}

/// Finds packages that have the path of a rule.
fn packages_over_rules(modules: &[&Module], errors: &mut Errors) {
    let mut packages: BTreeMap<Vec<Value>, Vec<&Module>> = BTreeMap::new();
    for module in modules {
        packages.entry(package_path(module)).or_default().push(module);
    }
    for (path, own) in &packages {
        for module in own {
            for rule in module.rules.iter().filter(|rule| is_ground(rule)) {
                let place: Vec<Value> = path.iter().cloned().chain(ground_path(rule)).collect();
                for other in packages.get(&place).into_iter().flatten() {
                    let package = &other.package;
                    let (name, at) = (text::reference(&rule.head.reference), rule.span.location());
                    let message = format!("{package} conflicts with rule {name} defined at {at}");
                    errors.add(ErrorCode::Type, &module.package.span, message);
                }
            }
        }
    }
}

fn package_path(module: &Module) -> Vec<Value> {
    module.package.path.iter().skip(1).filter_map(constant).collect()
}
