//! The engine: parses single modules, compiles many into a program.

use std::any::Any;
use std::sync::Arc;

use regent_core::builtin::{Builtin, SharedState};
use regent_core::engine::{CompileOptions, Engine, Module, PolicyErrors, Program, Source, Unsupported};

use crate::NAME;
use crate::builtins::Builtins;
use crate::module::RegoModule;
use crate::program::RegoProgram;

/// The engine that is chosen with `engine: rego`, and the default one.
#[derive(Clone)]
pub struct RegoEngine {
    builtins: Arc<Builtins>,
    shared: Arc<SharedState>,
    optimised: bool,
}

impl RegoEngine {
    /// An engine with these functions.
    pub fn new(builtins: Builtins) -> Self {
        Self { builtins: Arc::new(builtins), shared: Arc::default(), optimised: true }
    }

    /// The same engine with one function more, or in place of the one of its name.
    #[must_use]
    pub fn with_builtin(self, builtin: Arc<dyn Builtin>) -> Self {
        let mut builtins = Builtins::clone(&self.builtins);
        builtins.add(builtin);
        Self { optimised: self.optimised, ..Self::new(builtins) }
    }

    /// The same engine, which evaluates what stands in the text, step by step: every rule instead of those that can hold,
    /// loops with all that is in them, comprehensions as often as they are come by. Answers are the same. For tests and
    /// for finding faults.
    #[must_use]
    pub fn unoptimised(self) -> Self {
        Self { optimised: false, ..self }
    }
}

impl Default for RegoEngine {
    /// The engine with the functions of this crate.
    fn default() -> Self {
        Self::new(Builtins::stock())
    }
}

impl Engine for RegoEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn with_builtins(&self, builtins: &[Arc<dyn Builtin>]) -> Result<Arc<dyn Engine>, Unsupported> {
        Ok(Arc::new(builtins.iter().cloned().fold(self.clone(), Self::with_builtin)))
    }

    fn parse(&self, source: Source) -> Result<Arc<dyn Module>, PolicyErrors> {
        Ok(Arc::new(RegoModule::parse(source)?))
    }

    fn compile(&self, modules: &[Arc<dyn Module>], options: &CompileOptions) -> Result<Arc<dyn Program>, PolicyErrors> {
        let own = |module| {
            let module: &dyn Any = module;
            module.downcast_ref().expect("a store keeps to one engine")
        };
        let modules: Vec<&RegoModule> = modules.iter().map(|module| own(&**module)).collect();
        let builtins = Arc::clone(&self.builtins);
        let program = RegoProgram::compile(&modules, options, builtins, Arc::clone(&self.shared), self.optimised)?;
        Ok(Arc::new(program))
    }
}
