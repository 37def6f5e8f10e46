//! The stages that look for errors, and what planning asks of the same analysis.
//!
//! Each check over all modules has a sibling for one query. Texts, places and order of errors are OPA's; where OPA's
//! order is that of a hash table, it is that of names here.

mod banned;
mod conflicts;
pub(crate) mod functions;
mod graph;
mod names;
mod originals;
pub(crate) mod outputs;
mod paths;
pub(crate) mod safety;
mod text;
mod types;
mod unify;
pub(crate) mod vars;
mod walk;

pub(crate) use self::functions::{Arities, builtin_name};
pub(crate) use self::graph::Branch;
pub(crate) use self::originals::Originals;
pub(crate) use self::types::{TypeEnv, check_document};
pub(super) use self::{
    banned::{deprecated_builtins, query_deprecated_builtins, query_unsafe_builtins, unsafe_builtins},
    conflicts::rule_conflicts,
    functions::{query_undefined_functions, query_void_calls, undefined_functions, void_calls},
    graph::recursion,
    names::{duplicate_imports, keyword_overrides, query_keyword_overrides},
    safety::{query_safety, safety_of_bodies, safety_of_heads},
    types::{input_schema, known_input, query_types, types},
};

#[cfg(test)]
pub(super) mod tests;
