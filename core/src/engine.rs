//! The engine contract: Rego text in, a [`Program`] out, which prepares queries that are evaluated against a
//! [`Snapshot`].
//!
//! ```text
//! Source --Engine::parse--> Module --Engine::compile--> Program --prepare--> PreparedQuery --evaluate--> Answer
//! ```
//!
//! Parsing and compiling happen off the request path, under the store's writer. Preparing and evaluating happen on
//! request threads, many at once, and wait for nobody.

mod evaluation;
mod policy_error;

use std::any::Any;
use std::sync::Arc;

pub use evaluation::{Answer, Cancel, Evaluation, Expression, Linger, Prints, Row};
pub use policy_error::{ErrorCode, Location, PolicyError, PolicyErrors};

use crate::store::Snapshot;
use crate::value::{Path, Value};

/// The dialect that a module is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RegoVersion {
    /// Before OPA 1.0: `if` and `contains` only after an import.
    V0,
    /// OPA 1.0 and later.
    #[default]
    V1,
}

/// The text of one module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The module's id in the store, `BUNDLE/path/in/bundle.rego` for a bundle's.
    pub id: Arc<str>,
    /// The name that error locations show.
    pub file: Arc<str>,
    /// The Rego text.
    pub text: Arc<str>,
    /// Its dialect.
    pub version: RegoVersion,
}

/// What the engine may be told when it compiles.
#[derive(Debug, Clone)]
pub struct CompileOptions {
    /// Errors after which the compiler gives up; 0 for no limit. OPA's default is 10.
    pub max_errors: usize,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self { max_errors: 10 }
    }
}

/// A policy language implementation.
pub trait Engine: Send + Sync + 'static {
    /// Its name in the configuration: `engine: NAME`.
    fn name(&self) -> &'static str;

    /// Parses one module on its own.
    ///
    /// # Errors
    /// Every `rego_parse_error` of the module.
    fn parse(&self, source: Source) -> Result<Arc<dyn Module>, PolicyErrors>;

    /// Compiles modules, which this engine parsed, into one program.
    ///
    /// # Errors
    /// What is wrong with the modules as a whole, up to the limit of errors.
    fn compile(&self, modules: &[Arc<dyn Module>], options: &CompileOptions) -> Result<Arc<dyn Program>, PolicyErrors>;
}

/// A parsed module. An engine finds its own type again by upcasting to [`Any`].
pub trait Module: Any + Send + Sync {
    /// Where it came from.
    fn source(&self) -> &Source;

    /// The package, without the leading `data`.
    fn package(&self) -> &Path;

    /// The syntax tree in OPA's JSON form.
    ///
    /// # Errors
    /// When the engine has no such form.
    fn ast(&self) -> Result<Value, Unsupported>;
}

/// Where a rule makes a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDocument {
    /// The document's path, up to the first part that is not constant.
    pub path: Path,
    /// The first rule that makes it.
    pub location: Location,
}

/// What an engine derived from a snapshot's base data, for example the data in its own representation.
pub type Linked = Arc<dyn Any + Send + Sync>;

/// Compiled modules.
pub trait Program: Send + Sync + 'static {
    /// The documents that rules make, each path once. The store refuses base data at these paths.
    fn documents(&self) -> Vec<RuleDocument>;

    /// Derives from base data what evaluation needs; called off the request path for every new snapshot.
    fn link(&self, data: &Value) -> Linked;

    /// Prepares a query, which then serves any number of evaluations on any snapshot of this program.
    ///
    /// # Errors
    /// When the query does not parse or compile, or the engine cannot do what it asks for.
    fn prepare(&self, query: &Query) -> Result<Arc<dyn PreparedQuery>, QueryError>;
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Query {
    /// The document at a path below `data`.
    Document(Path),
    /// Rego text.
    Text(QueryText),
}

/// A query in Rego text with what it stands in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct QueryText {
    /// The text.
    pub text: String,
    /// The package whose names it may use, if any.
    pub package: Option<Path>,
    /// Imports such as `data.a.b`.
    pub imports: Vec<String>,
    /// Built-in functions that the text itself must not call, such as `http.send` in the REST API.
    pub unsafe_builtins: Vec<String>,
}

/// A query ready to be evaluated.
pub trait PreparedQuery: Send + Sync {
    /// Evaluates the query. Holds no lock that a writer needs.
    ///
    /// # Errors
    /// Conflicts between rules, cancellation, and with `strict_builtin_errors` what built-in functions report.
    fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Result<Answer, QueryError>;
}

/// What an engine cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("engine `{engine}` does not support {feature}")]
pub struct Unsupported {
    /// The engine's name.
    pub engine: &'static str,
    /// The feature in words.
    pub feature: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The query text is no Rego.
    #[error("{0}")]
    Parse(PolicyErrors),
    /// The query does not compile.
    #[error("{0}")]
    Compile(PolicyErrors),
    /// Evaluation failed.
    #[error("{0}")]
    Evaluation(PolicyErrors),
    /// There is nothing that could be evaluated, in OPA's words.
    #[error("{0}")]
    Invalid(String),
    /// The engine lacks a feature.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
}

impl QueryError {
    /// Whether evaluation ended because nobody waits for the answer any more.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Evaluation(errors) if errors.0.iter().any(|e| e.code == ErrorCode::EvalCancel))
    }
}

/// Prepares and evaluates a query in one go, for callers that ask once.
///
/// # Errors
/// As [`Program::prepare`] and [`PreparedQuery::evaluate`].
pub fn ask(snapshot: &Snapshot, query: &Query, input: Option<&Value>) -> Result<Answer, QueryError> {
    let prepared = snapshot.prepare(query)?.query;
    prepared.evaluate(&mut Evaluation::new(snapshot, input))
}
