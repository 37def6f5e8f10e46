//! Checks of calls that regorus leaves to evaluation: functions that do not exist, and functions that call themselves.
//!
//! The second is vital. regorus notices a rule that depends on itself while evaluating it, but follows a function that
//! calls itself until the stack overflows, which ends the process.

use std::collections::{BTreeMap, BTreeSet};

use regent_core::engine::{ErrorCode, Location, Module as _, PolicyError};
use regent_core::value::Path;
use regorus::unstable::{BUILTINS, Expr, Module, Rule, RuleHead};

use crate::documents::rule_path;
use crate::module::RegorusModule;
use crate::syntax;

/// What regorus knows by name at most. It would answer every call with undefined, so modules that call it are refused.
pub(crate) const HOLLOW: &[&str] = &["http.send"];

/// The functions of a program.
#[derive(Default)]
pub(crate) struct Functions(BTreeMap<Path, Function>);

#[derive(Default)]
struct Function {
    location: Location,
    calls: BTreeSet<Path>,
}

/// What a call names.
pub(crate) enum Callee {
    /// A function of a module.
    Rule(Path),
    /// A built-in function.
    Builtin(String),
    /// A built-in function that regorus only pretends to have.
    Hollow(String),
    /// Nothing.
    Undefined(String),
}

impl Functions {
    /// Collects the functions and reports what is wrong with calls.
    pub(crate) fn of(modules: &[&RegorusModule]) -> (Self, Vec<PolicyError>) {
        let mut functions = Self::default();
        for (module, rule) in rules(modules).filter(|(_, rule)| is_function(rule)) {
            let path = rule_path(module.package(), rule);
            functions
                .0
                .entry(path)
                .or_insert_with(|| Function { location: syntax::location(rule.span()), calls: BTreeSet::new() });
        }
        let mut errors = Vec::new();
        for (module, rule) in rules(modules) {
            let calls = functions.calls_of(module, rule, &mut errors);
            if let Some(function) = functions.0.get_mut(&rule_path(module.package(), rule)) {
                function.calls.extend(calls);
            }
        }
        errors.extend(functions.recursive());
        (functions, errors)
    }

    fn calls_of(&self, module: &RegorusModule, rule: &Rule, errors: &mut Vec<PolicyError>) -> Vec<Path> {
        let mut calls = Vec::new();
        syntax::visit_rule(rule, &mut |expression| {
            let Some(callee) = self.callee(expression, Some(module)) else {
                return;
            };
            let message = match callee {
                Callee::Rule(path) => return calls.push(path),
                Callee::Builtin(_) => return,
                Callee::Hollow(name) => crate::unsupported(format!("the built-in function `{name}`")).to_string(),
                Callee::Undefined(name) => format!("undefined function {name}"),
            };
            errors.push(PolicyError::new(ErrorCode::Type, message, syntax::start(expression)));
        });
        calls
    }

    /// What the expression calls, if it is a call. Without a module it stands in a query.
    pub(crate) fn callee(&self, expression: &Expr, module: Option<&RegorusModule>) -> Option<Callee> {
        let Expr::Call { fcn, .. } = expression else {
            return None;
        };
        let (name, _) = syntax::constant_prefix(fcn);
        let local = module.map(|module| Path::new(module.package().segments().iter().cloned().chain(shared(&name))));
        let written =
            module.and_then(|module| import_of(module.tree(), &name[0])).map(|target| [&target, &name[1..]].concat());
        let absolute = written.as_ref().unwrap_or(&name);
        let path = match absolute.split_first() {
            Some((root, rest)) if root == "data" => Some(Path::new(shared(rest))),
            _ => None,
        };
        let known = path.into_iter().chain(local).find(|path| self.0.contains_key(path));
        let dotted = name.join(".");
        Some(match known {
            Some(path) => Callee::Rule(path),
            None if HOLLOW.contains(&&*dotted) => Callee::Hollow(dotted),
            None if dotted == "print" || BUILTINS.contains_key(&*dotted) => Callee::Builtin(dotted),
            None => Callee::Undefined(absolute.join(".")),
        })
    }

    fn recursive(&self) -> Vec<PolicyError> {
        let error = |(path, function): (&Path, &Function)| {
            let cycle = self.way_back(path)?;
            let names: Vec<_> = cycle.iter().map(Path::to_reference).collect();
            let text = format!("rule {} is recursive: {}", path.to_reference(), names.join(" -> "));
            Some(PolicyError::new(ErrorCode::Recursion, text, function.location.clone()))
        };
        self.0.iter().filter_map(error).collect()
    }

    /// The calls that lead from a function to itself. Breadth first, so that deep call chains need no deep stack.
    fn way_back(&self, start: &Path) -> Option<Vec<Path>> {
        let mut came_from: BTreeMap<&Path, &Path> = BTreeMap::new();
        let mut ahead = vec![start];
        while let Some(at) = ahead.pop() {
            for next in &self.0.get(at)?.calls {
                if next == start {
                    let steps = std::iter::successors(Some(at), |step| came_from.get(step).copied());
                    let mut way: Vec<_> = steps.cloned().collect();
                    way.reverse();
                    way.push(start.clone());
                    return Some(way);
                }
                if !came_from.contains_key(next) {
                    came_from.insert(next, at);
                    ahead.push(next);
                }
            }
        }
        None
    }
}

fn rules<'a>(modules: &'a [&RegorusModule]) -> impl Iterator<Item = (&'a RegorusModule, &'a Rule)> {
    let of_module = |module: &&'a RegorusModule| {
        let module: &'a RegorusModule = module;
        module.tree().policy.iter().map(move |rule| (module, rule.as_ref()))
    };
    modules.iter().flat_map(of_module)
}

fn is_function(rule: &Rule) -> bool {
    match rule {
        Rule::Spec { head, .. } => matches!(head, RuleHead::Func { .. }),
        Rule::Default { args, .. } => !args.is_empty(),
    }
}

/// The reference that the module imports under the name.
pub(crate) fn import_of(module: &Module, name: &str) -> Option<Vec<String>> {
    module.imports.iter().find_map(|import| {
        let (target, _) = syntax::constant_prefix(&import.refr);
        let alias = match &import.r#as {
            Some(alias) => alias.text(),
            None => target.last()?,
        };
        (alias == name).then_some(target)
    })
}

fn shared(keys: &[String]) -> impl Iterator<Item = std::sync::Arc<str>> {
    keys.iter().map(|key| key.as_str().into())
}
