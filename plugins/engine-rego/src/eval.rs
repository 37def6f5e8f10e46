//! The evaluator.
//!
//! A block is run step by step. A step that holds in one way goes on with the next one; a step that may hold in several
//! ways runs the rest of the block once for each. What comes after the block is handed down as a function, `next`. So
//! everything happens in OPA's order: who asks for a rule goes on as soon as the rule has a value, and only then are the
//! rule's other definitions tried.

mod builtin;
mod cache;
mod candidates;
mod collect;
mod data;
mod document;
mod each;
mod env;
mod filter;
mod function;
mod limits;
mod lookup;
mod machine;
mod merge;
mod partial;
mod print;
mod query;
mod run;
mod single;
mod tree;
mod value;
mod with;

use std::borrow::Cow;

use regent_core::Value;
use regent_core::engine::{ErrorCode, Location, PolicyError};

pub(crate) use machine::{Context, Machine};

/// A value, borrowed from the plan, the snapshot or the input where it comes from there.
pub(crate) type Held<'a> = Cow<'a, Value>;

/// What comes after a block.
type Next<'k, 'a> = &'k mut (dyn FnMut(&mut Machine<'a>) -> Flow + 'k);

/// What is done with a value.
type Sink<'k, 'a> = &'k mut (dyn FnMut(&mut Machine<'a>, Held<'a>) -> Flow + 'k);

/// Whether to go on looking for more ways to hold.
type Flow = Result<(), Stop>;

/// Why not to go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// One way is enough.
    Exit,
    /// Evaluation failed.
    Error(Box<PolicyError>),
}

impl Stop {
    fn error(code: ErrorCode, message: impl Into<String>, location: impl Into<Option<Location>>) -> Self {
        Self::Error(Box::new(PolicyError::new(code, message, location)))
    }
}
