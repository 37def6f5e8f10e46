//! Compiled modules.

use std::borrow::Cow;
use std::sync::Arc;

use regent_core::builtin::SharedState;
use regent_core::engine::{
    Capabilities, CompileOptions, Linked, PolicyErrors, PreparedQuery, Program, Query, QueryError, QueryText,
    RuleDocument, Unsupported,
};
use regent_core::fetch::Fetcher;
use regent_core::metrics::Metrics;
use regent_core::parallel;
use regent_core::value::{Json, Value};

use crate::compile::{Compiled, Options, compile, documents};
use crate::module::RegoModule;
use crate::plan::{self, Former, Plan};
use crate::query::RegoQuery;
use crate::state::ProgramState;
use crate::syntax::ast::Module;
use crate::syntax::{JsonOptions, module_to_json};
use crate::text;
use regent_builtins::Builtins;
use regent_builtins::remote::Network;

/// Modules that fit together.
pub(crate) struct RegoProgram {
    compiled: Compiled,
    builtins: Arc<Builtins>,
    options: Options,
    state: Arc<ProgramState>,
}

/// What an engine gives to its programs.
pub(crate) struct Setup {
    /// What policies may use, if not everything.
    pub(crate) capabilities: Option<Arc<Capabilities>>,
    /// The functions that they may call.
    pub(crate) builtins: Arc<Builtins>,
    /// State of built-in functions that outlives an evaluation.
    pub(crate) shared: Arc<SharedState>,
    /// Gets schemas from other hosts.
    pub(crate) fetcher: Option<Arc<dyn Fetcher>>,
    /// Whether plans are optimised.
    pub(crate) optimised: bool,
}

impl RegoProgram {
    /// Compiles and plans modules. What is the same as in a former program of the engine is not planned again.
    ///
    /// # Errors
    /// What is wrong with the modules as a whole.
    pub(crate) fn compile(
        modules: &[&RegoModule],
        options: &CompileOptions,
        setup: Setup,
        former: Option<&Self>,
    ) -> Result<Self, PolicyErrors> {
        use regent_core::engine::Module as _;
        let Setup { capabilities, builtins, shared, fetcher, optimised } = setup;
        let copy = |module: &&RegoModule| (Arc::clone(&module.source().id), module.tree().clone());
        let trees = parallel::map(modules, copy);
        let runtime = options.runtime.clone();
        let allowed = capabilities.as_ref().and_then(|capabilities| capabilities.allow_net.clone());
        let network = Network { fetcher, allow_net: allowed.or_else(|| options.allow_net.clone()) };
        let options = Options {
            max_errors: options.max_errors,
            strict: options.strict,
            print: options.print,
            unsafe_builtins: Vec::new(),
            capabilities,
            schemas: options.schemas.clone(),
            known_input: options.known_input.clone(),
            base: options.base.clone(),
            network: network.clone(),
        };
        let compiled = compile(trees, &builtins, options.clone())?;
        let options = Options { base: None, schemas: None, known_input: None, ..options };
        let former = former
            .filter(|former| former.state.plan.optimised == optimised && Arc::ptr_eq(&former.builtins, &builtins));
        let former = former.map(|former| Former { plan: &former.state.plan, compiled: &former.compiled });
        let plan = Plan::of(&compiled, &builtins, optimised, former.as_ref());
        let state = Arc::new(ProgramState { plan, shared, runtime, network });
        Ok(Self { compiled, builtins, options, state })
    }
}

impl Program for RegoProgram {
    fn documents(&self) -> Vec<RuleDocument> {
        documents(self.compiled.modules.iter().map(|(_, module)| module))
    }

    fn ast(&self, module: &str) -> Result<Json, Unsupported> {
        let found = self.compiled.modules.iter().find(|(id, _)| **id == *module);
        // OPA reads no metadata where it shows syntax trees.
        let tree = found.map(|(_, tree)| Module { annotations: Vec::new(), ..tree.clone() });
        Ok(tree.map_or(Json::Value(Value::NULL), |tree| module_to_json(&tree, JsonOptions::default())))
    }

    fn link(&self, _: &Value) -> Linked {
        Arc::new(())
    }

    fn prepare(&self, query: &Query) -> Result<Arc<dyn PreparedQuery>, QueryError> {
        let plan = &self.state.plan;
        let query = match query {
            Query::Document(path) => {
                text::check(path, &self.compiled, &self.builtins, &self.options)?;
                plan::document(path, plan, &self.builtins)
            }
            Query::Text(text) => {
                let compiled =
                    text::compile(text, &self.compiled, &self.builtins, &self.options, &mut Metrics::default())?;
                plan::query(&compiled, plan, &self.builtins)
            }
        };
        Ok(Arc::new(RegoQuery::new(query, Arc::clone(&self.state))))
    }

    fn spelling<'q>(&self, query: &'q QueryText) -> Cow<'q, str> {
        text::spelling(query, &self.options)
    }

    fn time_stages(&self, query: &Query, metrics: &mut Metrics) {
        let text = match query {
            Query::Document(path) => &QueryText { text: path.to_reference(), ..QueryText::default() },
            Query::Text(text) => text,
        };
        // What is wrong with it, if anything is, shows when it is prepared.
        let _ = text::compile(text, &self.compiled, &self.builtins, &self.options, metrics);
    }
}
