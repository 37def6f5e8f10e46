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
//!
//! Functions that are not written in Rego are in [`regent_builtins`], but for the one that needs the parser.

pub mod capabilities;
mod compile;
mod engine;
mod eval;
mod index;
mod module;
mod parse_module;
mod plan;
mod program;
mod query;
mod state;
pub mod syntax;
mod text;

pub use engine::RegoEngine;

/// The engine's name in the configuration and in its errors.
const NAME: &str = "rego";

/// Registers the engine.
pub fn register(registry: &mut regent_core::Registry) {
    registry.engine(std::sync::Arc::new(RegoEngine::default()));
}
