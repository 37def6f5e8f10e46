//! Functions as capabilities declare them.

use std::sync::Arc;

use regent_core::builtin::{Builtin, BuiltinError, Call, Declaration, Operands, Outcome};

/// A function that is declared from outside.
pub(super) struct Restricted {
    declaration: Declaration,
    own: Option<Arc<dyn Builtin>>,
}

impl Restricted {
    /// The function that is declared so, done by `own` if that fits.
    pub(super) fn of(declaration: &Declaration, own: Option<&Arc<dyn Builtin>>) -> Arc<dyn Builtin> {
        let own = own.filter(|own| fits(own.declaration(), declaration));
        match own {
            Some(own) if own.declaration() == declaration => Arc::clone(own),
            _ => Arc::new(Self { declaration: declaration.clone(), own: own.cloned() }),
        }
    }
}

/// Whether a function can be called as declared: functions rely on the number of their operands, not on types.
fn fits(own: &Declaration, declared: &Declaration) -> bool {
    own.parameters.len() == declared.parameters.len()
        && own.variadic.is_some() == declared.variadic.is_some()
        && own.result.is_some() == declared.result.is_some()
        && own.relation == declared.relation
}

impl Builtin for Restricted {
    fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    fn call(&self, operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
        match &self.own {
            Some(own) => own.call(operands, call),
            None => Err(BuiltinError::Fatal("unsupported built-in".to_owned())),
        }
    }
}
