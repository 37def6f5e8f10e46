//! The contract of built-in functions: functions of Rego that are not written in Rego.
//!
//! A function declares itself once, with names and types as `opa capabilities` shows them, and is then called with
//! values. It must neither block, except within [`Call::linger`], nor run for long without a look at [`Call::cancel`].

mod declaration;
mod operands;
mod request;
mod state;

use std::sync::Arc;

pub use declaration::capability;
pub use operands::Operands;
pub use request::REQUEST_KEYS;
pub use state::{QueryState, SharedState};

use crate::caching::Caching;
use crate::engine::cancel::{Cancel, Linger};
use crate::engine::policy_error::Location;
use crate::fetch::Fetcher;
use crate::metrics::Metrics;
use crate::trace::Span;
use crate::types::Type;
use crate::value::Value;

/// A built-in function.
pub trait Builtin: Send + Sync + 'static {
    /// Its name, parameters and documentation.
    fn declaration(&self) -> &Declaration;

    /// Calls the function. The operands are as many as parameters were declared, but of any type.
    ///
    /// # Errors
    /// What is wrong with the operands or went wrong otherwise. Without strict errors the call is then undefined.
    fn call(&self, operands: Operands<'_>, call: &mut Call<'_>) -> Outcome;
}

/// What a call gives: nothing when it is undefined.
pub type Outcome = Result<Option<Value>, BuiltinError>;

/// What a built-in function says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Its name in policies, `array.concat`.
    pub name: Arc<str>,
    /// What it does, in a sentence.
    pub description: Arc<str>,
    /// The parameters.
    pub parameters: Vec<Parameter>,
    /// The type of each further operand, if it takes any number.
    pub variadic: Option<Type>,
    /// The result; a function without one is called for its effect.
    pub result: Option<Parameter>,
    /// The operator that stands for it, such as `+`.
    pub infix: Option<Arc<str>>,
    /// The groups that documentation lists it under.
    pub categories: Vec<Arc<str>>,
    /// Whether the same operands may give different results. Such calls are recorded in decision logs.
    pub nondeterministic: bool,
    /// Whether the result is an array of results, over which a call in a policy goes one by one.
    pub relation: bool,
    /// Whether strict mode refuses it.
    pub deprecated: bool,
}

/// A parameter or result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, for the documentation.
    pub name: Arc<str>,
    /// What it is, in a phrase.
    pub description: Arc<str>,
    /// Its type.
    pub kind: Type,
}

/// What a call may use beside its operands.
pub struct Call<'a> {
    /// The time of the query in nanoseconds since 1970; the same for all calls of a query.
    pub now: i64,
    /// Set when nobody waits for the answer any more.
    pub cancel: &'a Cancel,
    /// Does what takes long, such as waiting for another service, so that whoever shares the thread need not wait.
    pub linger: Linger,
    /// Where the call stands, for functions whose results tell of it.
    pub location: &'a dyn Fn() -> Location,
    /// Hosts that the function may talk to or look up; all of them if absent.
    pub allow_net: Option<&'a [Arc<str>]>,
    /// Gets documents from other hosts; absent where nobody can.
    pub fetcher: Option<&'a Arc<dyn Fetcher>>,
    /// Timers and counters of the evaluation.
    pub metrics: &'a mut Metrics,
    /// How much may be kept from one query to the next.
    pub caching: &'a Caching,
    /// The request that the query belongs to, for functions that ask others on its behalf.
    pub trace: Option<&'a Span>,
    /// What `opa.runtime` gives.
    pub runtime: &'a Value,
    /// State that lives as long as the query.
    pub query: &'a mut QueryState,
    /// State that lives as long as the engine, for caches of what is costly to make, such as regular expressions.
    pub shared: &'a SharedState,
}

/// Why a call gives no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuiltinError {
    /// An operand is of the wrong type or has a value that the function cannot take: `eval_type_error`.
    #[error("{0}")]
    Operand(String),
    /// The function failed: `eval_builtin_error`.
    #[error("{0}")]
    Failed(String),
    /// Nobody waits for the answer any more: `eval_cancel_error`, strict or not.
    #[error("caller cancelled query execution")]
    Cancelled,
    /// The query cannot go on, strict errors or not: `eval_internal_error`.
    #[error("{0}")]
    Fatal(String),
}

impl BuiltinError {
    /// The function failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// What OPA says of an operand, counted from 0: `operand 1 must be …`.
    pub fn operand(position: usize, message: impl std::fmt::Display) -> Self {
        Self::Operand(format!("operand {} {message}", position + 1))
    }
}
