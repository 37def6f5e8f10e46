//! Generated variables.

use std::collections::BTreeMap;

use super::check::vars::VarSet;
use super::declared::{self, PREFIX};
use crate::syntax::ast::{Body, Module, Var};

/// Makes variables `__local0__`, `__local1__`, … that no text uses, and remembers what they stand for.
#[derive(Debug, Clone)]
pub(crate) struct Locals {
    prefix: &'static str,
    /// Names of this kind that the texts use.
    taken: VarSet,
    next: usize,
    /// From generated variables to those of the text that they replace.
    pub(crate) originals: BTreeMap<Var, Var>,
}

impl Default for Locals {
    fn default() -> Self {
        Self { prefix: PREFIX, taken: VarSet::new(), next: 0, originals: BTreeMap::new() }
    }
}

impl Locals {
    /// For the rules of these modules.
    pub(crate) fn for_modules<'a>(modules: impl IntoIterator<Item = &'a Module>) -> Self {
        let mut locals = Self::default();
        for module in modules {
            locals.taken.extend(declared::generated_in_module(module));
        }
        locals
    }

    /// For one stage of a query: `__localq0__`, `__localq1__`, …
    pub(crate) fn for_query(body: &Body) -> Self {
        Self { prefix: "__localq", taken: declared::generated_in_body(body), ..Self::default() }
    }

    /// A new variable.
    pub(crate) fn generate(&mut self) -> Var {
        loop {
            let name: Var = format!("{}{}__", self.prefix, self.next).into();
            self.next += 1;
            if !self.taken.contains(&name) {
                return name;
            }
        }
    }

    /// What the text calls a variable.
    pub(crate) fn original<'a>(&'a self, name: &'a Var) -> &'a Var {
        self.originals.get(name).unwrap_or(name)
    }
}

/// Whether a variable stands for `_`.
pub(crate) fn is_wildcard(name: &str) -> bool {
    name.starts_with('$')
}
