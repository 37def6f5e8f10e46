//! Microsoft's regorus behind Regent's engine contract: small, and the oracle that the default engine is tested with.
//!
//! A program is a regorus engine that holds parsed and analysed modules. [`link`](regent_core::engine::Program::link)
//! adds base data to it, off the request path; an evaluation then works on a clone, which costs less than a
//! microsecond because policies and data are shared. Documents that no rule has a part in are answered from base data
//! without regorus, so numbers there keep their spelling.
//!
//! What regorus 0.14 cannot do:
//!
//! - the syntax tree of a module, explanations, partial evaluation, queries inside a package or with imports: refused;
//! - `http.send`, which it answers with undefined: modules and queries that call it are refused;
//! - other built-in functions of OPA that it lacks, such as those for JWT, X.509, GraphQL and hashes: `undefined
//!   function`, as in OPA without that capability;
//! - template strings, keywords as keys in the heads of rules, expressions nested more than 32 deep: parse errors;
//! - OPA's type checker, and so its errors. Of several errors in modules, mostly only the first is reported. Rules that
//!   depend on themselves, and unsafe variables outside of bodies, are found when they are evaluated;
//! - the spelling of numbers that pass through a rule, and precision beyond a double for numbers that are not whole;
//! - values nested more than 256 deep: `eval_internal_error`;
//! - an error within a function counts as undefined where another definition of that function gives a value, unless
//!   built-in errors are strict; arithmetic on the wrong types is an error even where they are not;
//! - interruption from outside; the module `run` tells how cancelling works all the same.
//!
//! regorus recurses, and an overflowing stack ends the process. The modules `functions` and `stack` see to that. It also
//! panics now and then, which is caught and becomes an `eval_internal_error`; so this crate needs `panic = "unwind"`.

mod convert;
mod documents;
mod engine;
mod errors;
mod functions;
mod module;
mod program;
mod query;
mod run;
mod stack;
mod syntax;
mod text;

pub use engine::RegorusEngine;

/// The engine's name in the configuration and in its errors.
const NAME: &str = "regorus";

/// Registers the engine.
pub fn register(registry: &mut regent_core::Registry) {
    registry.engine(std::sync::Arc::new(RegorusEngine));
}

/// The error for what regorus has no notion of.
fn unsupported(feature: impl Into<String>) -> regent_core::engine::Unsupported {
    regent_core::engine::Unsupported { engine: NAME, feature: feature.into() }
}
