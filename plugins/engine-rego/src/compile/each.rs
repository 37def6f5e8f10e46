//! Stages that look at one module after another go over all of them at once, on all cores.

use std::sync::Arc;

use regent_core::parallel;

use super::Errors;
use crate::syntax::ast::Module;

/// Calls a function with each module. What it finds wrong is added in the order of the modules, up to the limit: the same
/// as if they had been gone through one after another.
pub(in crate::compile) fn each_module(
    modules: &mut [(Arc<str>, Module)],
    errors: &mut Errors,
    work: impl Fn(&mut Module, &mut Errors) + Sync,
) {
    let none = errors.none();
    let found = parallel::map(modules, |(_, module)| {
        let mut errors = none.clone();
        work(module, &mut errors);
        errors
    });
    for found in found {
        errors.absorb(found);
    }
}
