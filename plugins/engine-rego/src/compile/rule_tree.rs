//! The rules by their path.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Compiler;
use crate::syntax::ast::{Module, Package, Rule, Term};

/// A rule by the place of its module among the sorted modules and its place in the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RuleId {
    pub(crate) module: usize,
    pub(crate) rule: usize,
}

/// A node of the tree of everything below `data` that rules make. A rule sits at the end of the constant string part
/// of its path (`data.PACKAGE` and its reference).
#[derive(Debug, Default, Clone)]
pub(crate) struct RuleTree {
    /// Further keys.
    pub(crate) children: BTreeMap<Arc<str>, RuleTree>,
    /// The rules that sit here, in order of module and place.
    pub(crate) rules: Vec<RuleId>,
    /// How many parameters the first of them has.
    pub(crate) arity: usize,
}

impl RuleTree {
    /// The tree of these modules' rules. A package without rules has a node of its own, too.
    pub(crate) fn new(modules: &[(Arc<str>, Module)]) -> Self {
        let mut root = Self::default();
        for (module_index, (_, module)) in modules.iter().enumerate() {
            let package = root.grow(package_path(&module.package));
            for (rule_index, rule) in module.rules.iter().enumerate() {
                let node = package.grow(constant_prefix(rule));
                if node.rules.is_empty() {
                    node.arity = rule.head.args.as_ref().map_or(0, Vec::len);
                }
                node.rules.push(RuleId { module: module_index, rule: rule_index });
            }
        }
        root
    }

    /// The node at a path, made if there is none.
    fn grow<'a>(&mut self, path: impl IntoIterator<Item = &'a str>) -> &mut Self {
        path.into_iter().fold(self, |node, key| {
            if !node.children.contains_key(key) {
                node.children.insert(key.into(), Self::default());
            }
            node.children.get_mut(key).expect("it was put there")
        })
    }

    /// The node of exactly this reference, which begins with `data` and has only constant strings.
    pub(crate) fn at(&self, reference: &[Term]) -> Option<&RuleTree> {
        let (head, tail) = reference.split_first()?;
        if head.as_var().is_none_or(|name| &**name != "data") {
            return None;
        }
        tail.iter().try_fold(self, |node, key| node.children.get(key.as_text()?))
    }

    /// Calls a function with this node and then with all below it, in order of their paths.
    pub(crate) fn descend<'a>(&'a self, visit: &mut impl FnMut(&'a RuleTree)) {
        visit(self);
        self.children.values().for_each(|child| child.descend(visit));
    }

    /// Whether a document at a path is made by rules, in whole or in part: rules sit on the way to it, at it or below
    /// it, or its package has no rules.
    pub(crate) fn is_virtual<S: AsRef<str>>(&self, path: impl IntoIterator<Item = S>) -> bool {
        let mut node = self;
        for key in path {
            match node.children.get(key.as_ref()) {
                None => return false,
                Some(child) if !child.rules.is_empty() => return true,
                Some(child) => node = child,
            }
        }
        true
    }
}

/// The path of a package below `data`.
pub(crate) fn package_path(package: &Package) -> impl Iterator<Item = &str> {
    package.path.iter().skip(1).filter_map(Term::as_text)
}

/// The name of a rule and the constant strings that follow it in its reference.
pub(crate) fn constant_prefix(rule: &Rule) -> impl Iterator<Item = &str> {
    let (head, tail) = rule.head.reference.split_at(rule.head.reference.len().min(1));
    let name = head.iter().filter_map(|head| head.as_var().map(|name| &**name));
    name.chain(tail.iter().map_while(Term::as_text))
}

/// The stage that fills the tree.
pub(super) fn set(compiler: &mut Compiler<'_>) {
    compiler.rules = RuleTree::new(&compiler.modules);
}
