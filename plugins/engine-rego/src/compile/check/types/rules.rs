//! The type of what a rule makes.

use std::collections::BTreeMap;
use std::sync::Arc;

use regent_core::Value;
use regent_core::engine::PolicyError;

use super::body::Checker;
use super::env::{Entry, Stated};
use super::ty::{Function, Named, Ty};
use crate::compile::check::paths::{constant, ground_path, is_ground};
use crate::compile::check::vars::Scope;
use crate::syntax::ast::{Head, Module, Rule, Term};

/// Checks a rule, and gives its errors and its type.
pub(super) fn check(module: &Module, rule: &Rule, mut checker: Checker<'_>) -> (Vec<PolicyError>, Option<Entry>) {
    let path = module.package.path.iter().skip(1).filter_map(constant).chain(ground_path(rule)).collect();
    let errors = checker.body(&rule.body);
    let ty = if errors.is_empty() {
        checker.made_by(rule)
    } else {
        Some(if is_ground(rule) { Stated::Instead(Ty::any()) } else { Stated::Somewhere })
    };
    (errors, ty.map(|ty| Entry { path, ty }))
}

impl Checker<'_> {
    fn made_by(&mut self, rule: &Rule) -> Option<Stated> {
        let head = &rule.head;
        let ty = if head.args.iter().flatten().next().is_some() {
            self.function(head)
        } else if let Some(value) = &head.value {
            let value = self.type_of(value);
            let keys: Vec<&Term> = head.reference.iter().skip(ground_path(rule).count()).collect();
            self.nested(&keys, value)?
        } else {
            let member = self.type_of(head.key.as_ref()?);
            if member == Ty::Unknown {
                return None;
            }
            if !is_ground(rule) {
                return Some(Stated::Somewhere);
            }
            Ty::set(member)
        };
        (ty != Ty::Unknown).then_some(Stated::Also(ty))
    }

    fn function(&mut self, head: &Head) -> Ty {
        for var in Scope::All.of_terms(head.args.iter().flatten()) {
            // Of parameters that nothing uses, nothing is known.
            if self.type_of_var(&var) == Ty::Unknown {
                self.vars.put(&var, Ty::any());
            }
        }
        let parameters = head.args.iter().flatten().map(|arg| Named::new(self.type_of(arg))).collect();
        let result = head.value.as_ref().map(|value| self.type_of(value)).filter(|ty| *ty != Ty::Unknown);
        Ty::Function(Arc::new(Function { parameters, variadic: None, result: result.map(Named::new) }))
    }

    /// Objects within objects under keys of which only the types are known.
    fn nested(&mut self, keys: &[&Term], value: Ty) -> Option<Ty> {
        let mut ty = value;
        for key in keys.iter().rev() {
            let key = self.type_of(key);
            if key == Ty::Unknown || ty == Ty::Unknown {
                return None;
            }
            ty = Ty::object(BTreeMap::<Value, Ty>::new(), Some((key, ty)));
        }
        Some(ty)
    }
}
