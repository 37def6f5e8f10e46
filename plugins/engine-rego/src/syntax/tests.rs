//! What parses, as what, and what is said of the rest.

mod annotations;
mod errors;
mod hostile;
mod spelling;
mod text;
mod tree;

use std::sync::Arc;

use regent_core::engine::{PolicyErrors, RegoVersion};

use super::ast::{Module, Rule, SourceFile};
use super::parse_module;

fn source(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile { name: "t.rego".into(), text: text.into() })
}

fn parse(text: &str) -> Result<Module, PolicyErrors> {
    parse_module(source(text), RegoVersion::V1)
}

/// The module of these lines below `package t`.
fn module(text: &str) -> Module {
    parse(&format!("package t\n{text}")).unwrap_or_else(|errors| panic!("{text}: {errors}"))
}

/// The only rule of these lines.
fn rule(text: &str) -> Rule {
    let mut rules = module(text).rules;
    assert_eq!(rules.len(), 1, "{text}");
    rules.remove(0)
}
