//! Which documents the rules of a program make.

use std::collections::BTreeMap;

use regent_core::engine::{Location, Module as _, RuleDocument};
use regent_core::value::Path;
use regorus::unstable::{Expr, Rule, RuleHead};

use crate::module::RegorusModule;
use crate::syntax;

/// The documents of all modules, sorted by path.
#[derive(Default)]
pub(crate) struct Documents {
    /// Each rule's path, up to the first key that is not constant, with the place of its first rule.
    rules: BTreeMap<Path, Location>,
    /// A package is an object even if no rule gives it a key.
    packages: Vec<Path>,
}

impl Documents {
    pub(crate) fn of(modules: &[&RegorusModule]) -> Self {
        let mut documents = Self::default();
        for module in modules {
            documents.packages.push(module.package().clone());
            for rule in &module.tree().policy {
                let path = rule_path(module.package(), rule);
                documents.rules.entry(path).or_insert_with(|| syntax::location(rule.span()));
            }
        }
        documents
    }

    pub(crate) fn list(&self) -> Vec<RuleDocument> {
        let document =
            |(path, location): (&Path, &Location)| RuleDocument { path: path.clone(), location: location.clone() };
        self.rules.iter().map(document).collect()
    }

    /// The rule at the path or above it, the lowest one.
    pub(crate) fn rule_above(&self, path: &Path) -> Option<Path> {
        let mut prefixes = (1..=path.len()).rev().map(|length| path.prefix(length));
        prefixes.find(|prefix| self.rules.contains_key(prefix))
    }

    /// Whether a rule or package lies at the path or below it.
    pub(crate) fn any_within(&self, path: &Path) -> bool {
        self.rules.keys().chain(&self.packages).any(|known| known.is_within(path))
    }

    /// Whether a rule or package lies below the path.
    pub(crate) fn any_below(&self, path: &Path) -> bool {
        let mut known = self.rules.keys().chain(&self.packages);
        known.any(|known| known.is_within(path) && known != path)
    }
}

/// The path of a rule's document, up to the first key that is not constant.
pub(crate) fn rule_path(package: &Path, rule: &Rule) -> Path {
    let head: &Expr = match rule {
        Rule::Default { refr, .. } => refr,
        Rule::Spec { head, .. } => match head {
            // The last key of such a head is not a key but a member: `p.a { true }` in the old dialect.
            RuleHead::Set { refr, key: None, .. } => match refr.as_ref() {
                Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => refr,
                other => other,
            },
            RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. } => refr,
        },
    };
    let (keys, _) = syntax::constant_prefix(head);
    Path::new(package.segments().iter().cloned().chain(keys.into_iter().map(Into::into)))
}
