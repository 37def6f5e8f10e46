//! The engine: parses single modules, compiles many into a program.

use std::any::Any;
use std::sync::Arc;

use regent_core::builtin::Builtin;
use regent_core::engine::{
    CompileOptions, Engine, ErrorCode, Module, PolicyError, PolicyErrors, Program, Source, Unsupported,
};

use crate::functions::HOLLOW;
use crate::module::RegorusModule;
use crate::program::RegorusProgram;
use crate::{NAME, unsupported};

/// The engine that is chosen with `engine: regorus`.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegorusEngine;

impl Engine for RegorusEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Functions that no policy can call here anyway make no difference; others are refused.
    fn with_builtins(&self, builtins: &[Arc<dyn Builtin>]) -> Result<Arc<dyn Engine>, Unsupported> {
        if builtins.iter().all(|builtin| HOLLOW.contains(&&*builtin.declaration().name)) {
            return Ok(Arc::new(*self));
        }
        Err(unsupported("built-in functions from plugins"))
    }

    fn parse(&self, source: Source) -> Result<Arc<dyn Module>, PolicyErrors> {
        Ok(Arc::new(RegorusModule::parse(source)?))
    }

    fn compile(&self, modules: &[Arc<dyn Module>], options: &CompileOptions) -> Result<Arc<dyn Program>, PolicyErrors> {
        if options.strict {
            let refused = unsupported("strict mode").to_string();
            return Err(PolicyError::new(ErrorCode::Compile, refused, None).into());
        }
        let own = |module| {
            let module: &dyn Any = module;
            module.downcast_ref().expect("a store keeps to one engine")
        };
        let modules: Vec<&RegorusModule> = modules.iter().map(|module| own(&**module)).collect();
        Ok(Arc::new(RegorusProgram::compile(&modules, options)?))
    }
}
