//! The engine: parses single modules, compiles many into a program.

use std::any::Any;
use std::sync::Arc;

use regent_core::builtin::{Builtin, SharedState};
use regent_core::engine::{
    Capabilities, CompileOptions, Engine, Module, PolicyErrors, Program, RegoVersion, Source, Unsupported,
};
use regent_core::fetch::Fetcher;

use crate::module::RegoModule;
use crate::parse_module::ParseModule;
use crate::program::{RegoProgram, Setup};
use crate::{NAME, capabilities};
use regent_builtins::Builtins;

/// The engine that is chosen with `engine: rego`, and the default one.
#[derive(Clone)]
pub struct RegoEngine {
    builtins: Arc<Builtins>,
    shared: Arc<SharedState>,
    optimised: bool,
    /// What policies may use, if not everything.
    capabilities: Option<Arc<Capabilities>>,
    /// Gets schemas from other hosts.
    fetcher: Option<Arc<dyn Fetcher>>,
}

impl RegoEngine {
    /// An engine with these functions.
    pub fn new(builtins: Builtins) -> Self {
        Self {
            builtins: Arc::new(builtins),
            shared: Arc::default(),
            optimised: true,
            capabilities: None,
            fetcher: None,
        }
    }

    /// The same engine with one function more, or in place of the one of its name.
    #[must_use]
    pub fn with_builtin(self, builtin: Arc<dyn Builtin>) -> Self {
        let mut builtins = Builtins::clone(&self.builtins);
        builtins.add(builtin);
        Self { builtins: Arc::new(builtins), shared: Arc::default(), ..self }
    }

    /// The same engine, which evaluates what stands in the text, step by step: every rule instead of those that can hold,
    /// loops with all that is in them, comprehensions as often as they are come by. Answers are the same. For tests and
    /// for finding faults.
    #[must_use]
    pub fn unoptimised(self) -> Self {
        Self { optimised: false, ..self }
    }
}

/// The functions of Rego, but for those that need another plugin.
pub(crate) fn stock() -> Builtins {
    let mut builtins = Builtins::stock();
    builtins.add(Arc::new(ParseModule::new()));
    builtins
}

impl Default for RegoEngine {
    fn default() -> Self {
        Self::new(stock())
    }
}

impl Engine for RegoEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn with_builtins(&self, builtins: &[Arc<dyn Builtin>]) -> Result<Arc<dyn Engine>, Unsupported> {
        Ok(Arc::new(builtins.iter().cloned().fold(self.clone(), Self::with_builtin)))
    }

    fn capabilities(&self, version: RegoVersion) -> Result<Capabilities, Unsupported> {
        let restricted = self.capabilities.as_deref().cloned();
        Ok(restricted.unwrap_or_else(|| capabilities::current(&self.builtins, version)))
    }

    fn with_capabilities(&self, capabilities: Arc<Capabilities>) -> Result<Arc<dyn Engine>, Unsupported> {
        Ok(Arc::new(Self { capabilities: Some(capabilities), ..self.clone() }))
    }

    fn with_fetcher(&self, fetcher: Arc<dyn Fetcher>) -> Option<Arc<dyn Engine>> {
        Some(Arc::new(Self { fetcher: Some(fetcher), ..self.clone() }))
    }

    fn parse(&self, source: Source) -> Result<Arc<dyn Module>, PolicyErrors> {
        Ok(Arc::new(RegoModule::parse(source, self.capabilities.as_deref())?))
    }

    fn compile(&self, modules: &[Arc<dyn Module>], options: &CompileOptions) -> Result<Arc<dyn Program>, PolicyErrors> {
        self.program(modules, options, None)
    }

    fn recompile(
        &self,
        modules: &[Arc<dyn Module>],
        options: &CompileOptions,
        former: &dyn Program,
    ) -> Result<Arc<dyn Program>, PolicyErrors> {
        let former: &dyn Any = former;
        self.program(modules, options, former.downcast_ref())
    }
}

impl RegoEngine {
    fn program(
        &self,
        modules: &[Arc<dyn Module>],
        options: &CompileOptions,
        former: Option<&RegoProgram>,
    ) -> Result<Arc<dyn Program>, PolicyErrors> {
        let own = |module| {
            let module: &dyn Any = module;
            module.downcast_ref().expect("a store keeps to one engine")
        };
        let modules: Vec<&RegoModule> = modules.iter().map(|module| own(&**module)).collect();
        let builtins = match &self.capabilities {
            Some(capabilities) => Arc::new(self.builtins.restricted(&capabilities.builtins)),
            None => Arc::clone(&self.builtins),
        };
        let setup = Setup {
            capabilities: self.capabilities.clone(),
            builtins,
            shared: Arc::clone(&self.shared),
            fetcher: self.fetcher.clone(),
            optimised: self.optimised,
        };
        let program = RegoProgram::compile(&modules, options, setup, former)?;
        Ok(Arc::new(program))
    }
}
