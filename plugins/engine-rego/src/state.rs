//! What the evaluations of one program share.

use std::sync::Arc;

use regent_builtins::remote::Network;
use regent_core::builtin::SharedState;
use regent_core::value::Value;

use crate::plan::Plan;

/// What evaluations need of a program.
pub(crate) struct ProgramState {
    /// The rules.
    pub(crate) plan: Plan,
    /// State of built-in functions that outlives an evaluation.
    pub(crate) shared: Arc<SharedState>,
    /// What `opa.runtime` gives.
    pub(crate) runtime: Value,
    /// Other hosts.
    pub(crate) network: Network,
}
