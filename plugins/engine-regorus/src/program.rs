//! Compiled modules, and what they make of base data.

use std::sync::Arc;

use regent_core::engine::{
    CompileOptions, ErrorCode, Linked, PolicyError, PolicyErrors, PreparedQuery, Program, Query, QueryError,
    RuleDocument, Unsupported,
};
use regent_core::value::{Json, Value};

use crate::convert::to_regorus;
use crate::documents::Documents;
use crate::functions::Functions;
use crate::module::{RegorusModule, new_engine};
use crate::query::DocumentQuery;
use crate::text::TextQuery;
use crate::{errors, run, stack, unsupported};

/// Modules that fit together.
pub(crate) struct RegorusProgram {
    /// Holds the parsed modules and no data. Never analysed, since analysis is lost when data comes.
    parsed: regorus::Engine,
    /// The same after analysis, for what is asked without data.
    analysed: regorus::Engine,
    documents: Documents,
    functions: Functions,
    /// The size of the stack that evaluation wants, if the caller's may not do.
    stack: Option<usize>,
}

/// Modules and base data, ready for evaluation. Evaluations clone the engines and never change them.
pub(crate) struct LinkedData {
    engines: Result<Engines, String>,
    /// As the program's.
    pub(crate) stack: Option<usize>,
}

struct Engines {
    lenient: regorus::Engine,
    /// A whole engine, because regorus copies its rule tables when strictness changes.
    strict: regorus::Engine,
}

impl RegorusProgram {
    pub(crate) fn compile(modules: &[&RegorusModule], options: &CompileOptions) -> Result<Self, PolicyErrors> {
        let (functions, mut wrong) = Functions::of(modules);
        if !wrong.is_empty() {
            if options.max_errors > 0 && wrong.len() > options.max_errors {
                wrong.truncate(options.max_errors);
                wrong.push(PolicyError::new(ErrorCode::Compile, "error limit reached", None));
            }
            return Err(PolicyErrors(wrong));
        }
        let mut parsed = new_engine();
        for module in modules {
            module.add_to(&mut parsed)?;
        }
        let analysed = analysed(parsed.clone()).map_err(|text| errors::policy_error(&text, ErrorCode::Compile))?;
        Ok(Self { parsed, analysed, documents: Documents::of(modules), functions, stack: stack::needed(modules) })
    }
}

/// Makes regorus do now what it would otherwise put off until the first evaluation.
fn analysed(mut engine: regorus::Engine) -> Result<regorus::Engine, String> {
    errors::guarded(move || {
        engine.set_strict_builtin_errors(false);
        let done = engine.eval_query("true".to_owned(), false);
        done.map(|_| engine).map_err(|error| error.to_string())
    })
}

impl Program for RegorusProgram {
    fn documents(&self) -> Vec<RuleDocument> {
        self.documents.list()
    }

    fn ast(&self, _: &str) -> Result<Json, Unsupported> {
        Err(unsupported("the syntax tree (`ast`) of a module"))
    }

    fn link(&self, data: &Value) -> Linked {
        Arc::new(LinkedData { engines: Engines::link(self.parsed.clone(), data), stack: self.stack })
    }

    fn prepare(&self, query: &Query) -> Result<Arc<dyn PreparedQuery>, QueryError> {
        Ok(match query {
            Query::Document(path) => Arc::new(DocumentQuery::new(path, &self.documents)),
            Query::Text(text) => Arc::new(TextQuery::prepare(text, &self.functions, self.analysed.clone())?),
        })
    }
}

impl Engines {
    fn link(mut parsed: regorus::Engine, data: &Value) -> Result<Self, String> {
        let data = to_regorus(data).map_err(|error| format!("regorus cannot represent base data: {error}"))?;
        let lenient = errors::guarded(move || {
            parsed.add_data(data).map_err(|error| error.to_string())?;
            analysed(parsed)
        })?;
        let mut strict = lenient.clone();
        strict.set_strict_builtin_errors(true);
        Ok(Self { lenient, strict })
    }
}

impl LinkedData {
    /// An engine for one evaluation. All that is large in it is shared.
    pub(crate) fn engine(&self, strict: bool) -> Result<regorus::Engine, QueryError> {
        let engines = self.engines.as_ref().map_err(|text| run::internal(text.clone()))?;
        Ok(if strict { engines.strict.clone() } else { engines.lenient.clone() })
    }
}

/// Finds the engine's own type again.
pub(crate) fn linked(linked: &Linked) -> Result<&LinkedData, QueryError> {
    let own = linked.downcast_ref();
    own.ok_or_else(|| run::internal("the snapshot was linked by another engine".to_owned()))
}
