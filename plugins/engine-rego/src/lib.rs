//! Regent's own Rego engine.
//!
//! ```text
//! text --syntax--> AST --compile--> rewritten AST --plan--> Plan --eval--> Answer
//! ```
//!
//! - [`syntax`]: lexer, parser and syntax tree; the tree as OPA's JSON and as Rego text.
//! - `compile`: OPA's compiler stages, one after another, each from tree to tree or to errors.
//! - `plan`: from the rewritten tree to slots, constants and resolved rules, the form that is evaluated.
//! - `index`: finds the rules that can hold for an input without trying each.
//! - `eval`: the evaluator.
//! - [`capabilities`]: what policies may use, and could use in releases of OPA.
//! - [`builtins`]: the functions of Rego that are not written in Rego, one file a family.

pub mod builtins;
pub mod capabilities;
mod compile;
mod engine;
mod eval;
#[allow(dead_code, reason = "traces will show what OPA finds")]
mod index;
mod module;
mod plan;
mod program;
mod query;
mod remote;
mod spelling;
pub mod syntax;
mod text;

pub use engine::RegoEngine;

/// The engine's name in the configuration and in its errors.
const NAME: &str = "rego";

/// Registers the engine.
pub fn register(registry: &mut regent_core::Registry) {
    registry.engine(std::sync::Arc::new(RegoEngine::default()));
}
