//! The engine contract: Rego text in, a [`Program`] out, which prepares queries that are evaluated against
//! base data.
//!
//! ```text
//! Source --Engine::parse--> Module --Engine::compile--> Program --prepare--> PreparedQuery --evaluate--> Answer
//! ```
//!
//! Parsing and compiling happen off the request path, under the store's writer. Preparing and evaluating happen on
//! request threads, many at once, and wait for nobody.

pub(crate) mod cancel;
mod capabilities;
mod evaluation;
mod parsing;
pub(crate) mod policy_error;
mod schemas;

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

pub use cancel::{Attended, Cancel, Linger};
pub use capabilities::{Capabilities, CapabilitiesError};
pub use evaluation::{Answer, Evaluation, Expression, Prints, Recorded, Row};
pub use parsing::parse_all;
pub use policy_error::{ErrorCode, Location, PolicyError, PolicyErrors};
pub use schemas::{KnownInput, Schemas};

use crate::builtin::Builtin;
use crate::fetch::Fetcher;
use crate::metrics::Metrics;
use crate::value::{Json, Path, Value};

/// The dialect that a module is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
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
    /// Offsets of the replacement characters in it that stand for bytes which are no UTF-8. Each is an error.
    pub broken: Vec<usize>,
    /// Its dialect.
    pub version: RegoVersion,
}

impl Source {
    /// The text of bytes that may not be UTF-8, and the offsets of the replacement characters in it, one for each byte.
    pub fn lossy(bytes: &[u8]) -> (Arc<str>, Vec<usize>) {
        let mut text = String::with_capacity(bytes.len());
        let mut broken = Vec::new();
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            for _ in chunk.invalid() {
                broken.push(text.len());
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        (text.into(), broken)
    }
}

/// What the engine may be told when it compiles.
#[derive(Debug, Clone)]
pub struct CompileOptions {
    /// Errors after which the compiler gives up; 0 for no limit. OPA's default is 10.
    pub max_errors: usize,
    /// Whether unused variables and imports, deprecated functions and the like are errors.
    pub strict: bool,
    /// Whether `print` is kept; else its calls are erased, and nothing within them is checked.
    pub print: bool,
    /// What `opa.runtime` gives: `config`, `env`, `version` and `commit`.
    pub runtime: Value,
    /// Whether rules may lie over base data, which they then hide. OPA's own tests have such rules, its agent refuses
    /// them.
    pub overlap: bool,
    /// Hosts that built-in functions may talk to or look up; all of them if absent.
    pub allow_net: Option<Arc<[Arc<str>]>>,
    /// Schemas to check types against, and those that annotations of modules name. Without them annotations do not count.
    pub schemas: Option<Arc<Schemas>>,
    /// What one document is given as its input, if that is known.
    pub known_input: Option<Arc<KnownInput>>,
    /// Base data that no rule may lie over. The store sets it.
    pub base: Option<Value>,
}

impl Default for CompileOptions {
    fn default() -> Self {
        let runtime = Value::empty_object();
        Self {
            max_errors: 10,
            strict: false,
            print: true,
            runtime,
            overlap: false,
            allow_net: None,
            schemas: None,
            known_input: None,
            base: None,
        }
    }
}

/// A policy language implementation.
pub trait Engine: Send + Sync + 'static {
    /// Its name in the configuration: `engine: NAME`.
    fn name(&self) -> &'static str;

    /// The same engine with further functions; of those of one name the last one counts, also before the engine's own.
    ///
    /// # Errors
    /// When the engine takes none.
    fn with_builtins(&self, builtins: &[Arc<dyn Builtin>]) -> Result<Arc<dyn Engine>, Unsupported>;

    /// The same engine, which gets what policies refer to on other hosts with this; nothing if it never does.
    fn with_fetcher(&self, fetcher: Arc<dyn Fetcher>) -> Option<Arc<dyn Engine>> {
        drop(fetcher);
        None
    }

    /// What policies of a dialect may use.
    ///
    /// # Errors
    /// When the engine cannot tell.
    fn capabilities(&self, version: RegoVersion) -> Result<Capabilities, Unsupported> {
        let _ = version;
        Err(Unsupported { engine: self.name(), feature: "capabilities".to_owned() })
    }

    /// The same engine, whose policies may use no more than these capabilities.
    ///
    /// # Errors
    /// When the engine cannot be restricted.
    fn with_capabilities(&self, capabilities: Arc<Capabilities>) -> Result<Arc<dyn Engine>, Unsupported> {
        drop(capabilities);
        Err(Unsupported { engine: self.name(), feature: "capabilities".to_owned() })
    }

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

    /// The same, where a program of this engine is there already that has much in common with the new one: what is the same
    /// in both may be shared. The outcome is that of [`Engine::compile`].
    ///
    /// # Errors
    /// As [`Engine::compile`].
    fn recompile(
        &self,
        modules: &[Arc<dyn Module>],
        options: &CompileOptions,
        former: &dyn Program,
    ) -> Result<Arc<dyn Program>, PolicyErrors> {
        let _ = former;
        self.compile(modules, options)
    }
}

/// A parsed module. An engine finds its own type again by upcasting to [`Any`].
pub trait Module: Any + Send + Sync {
    /// Where it came from.
    fn source(&self) -> &Source;

    /// The package, without the leading `data`.
    fn package(&self) -> &Path;
}

/// Where a rule makes a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDocument {
    /// The document's path, up to the first part that is not constant.
    pub path: Path,
    /// The first rule that makes it.
    pub location: Location,
}

impl RuleDocument {
    /// The error about base data in the way of the rules, if it is: something lies at the path, or a parent is no object.
    pub fn conflict(&self, base: &Value) -> Option<PolicyError> {
        let mut current = base;
        for segment in self.path.segments() {
            match current.as_object() {
                Some(entries) => current = entries.get_str(segment)?,
                None => break,
            }
        }
        let text = format!("conflicting rule for data path {} found", self.path.segments().join("/"));
        Some(PolicyError::new(ErrorCode::Compile, text, self.location.clone()))
    }
}

/// What an engine derived from a snapshot's base data, for example the data in its own representation.
pub type Linked = Arc<dyn Any + Send + Sync>;

/// Compiled modules. An engine finds its own type again by upcasting to [`Any`].
pub trait Program: Any + Send + Sync {
    /// The documents that rules make, each path once. The store refuses base data at these paths.
    fn documents(&self) -> Vec<RuleDocument>;

    /// The syntax tree of the module with that id as compilation left it, in OPA's JSON, fields in OPA's order.
    ///
    /// # Errors
    /// When the engine has no such form.
    fn ast(&self, module: &str) -> Result<Json, Unsupported>;

    /// Derives from base data what evaluation needs; called off the request path for every new snapshot.
    fn link(&self, data: &Value) -> Linked;

    /// Prepares a query, which then serves any number of evaluations on any state of this program.
    ///
    /// # Errors
    /// When the query does not parse or compile, or the engine cannot do what it asks for.
    fn prepare(&self, query: &Query) -> Result<Arc<dyn PreparedQuery>, QueryError>;

    /// The text of a query as records of decisions show it: what was parsed, in OPA's spelling, or the client's own words where
    /// the engine has none. It is made anew each time, as only those who keep records want it.
    fn spelling<'q>(&self, query: &'q QueryText) -> Cow<'q, str> {
        Cow::Borrowed(&query.text)
    }

    /// Compiles a query once more and adds the time of each stage, for those who look for where it goes. An engine
    /// without stages adds nothing.
    fn time_stages(&self, query: &Query, metrics: &mut Metrics) {
        let _ = (query, metrics);
    }
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
    /// Its dialect.
    pub version: RegoVersion,
    /// The package whose names it may use, if any.
    pub package: Option<Path>,
    /// Imports such as `data.a.b`.
    pub imports: Vec<String>,
    /// Built-in functions that the text itself must not call, such as `http.send` in the REST API.
    pub unsafe_builtins: Vec<String>,
    /// Whether text that is a rule is refused as such; else it is a malformed expression. The REST API does so, which
    /// shows in the errors.
    pub recognise_rules: bool,
}

/// A query ready to be evaluated.
pub trait PreparedQuery: Send + Sync {
    /// Evaluates the query. Holds no lock that a writer needs.
    ///
    /// # Errors
    /// Conflicts between rules, cancellation, and with `strict_builtin_errors` what built-in functions report.
    fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Result<Answer, QueryError>;

    /// Evaluates a query for a document: its value, or nothing if it is undefined.
    ///
    /// # Errors
    /// As [`PreparedQuery::evaluate`].
    fn document(&self, evaluation: &mut Evaluation<'_>) -> Result<Option<Value>, QueryError> {
        self.evaluate(evaluation).map(Answer::into_document)
    }
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
    /// The query says nothing.
    #[error("cannot evaluate empty query")]
    Empty,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::decode;

    #[test]
    fn data_is_in_the_way_where_it_lies_and_where_its_scalars_shadow() {
        let base = decode(br#"{"a":{"b":{}},"s":1}"#).expect("valid JSON");
        let conflicts = |path: &str| {
            let document = RuleDocument { path: Path::from_slashes(path), location: Location::default() };
            document.conflict(&base).is_some()
        };
        assert!(conflicts("a/b") && conflicts("s") && conflicts("s/x"));
        assert!(!conflicts("a/c") && !conflicts("x") && !conflicts("a/b/c"));
    }

    #[test]
    fn each_broken_byte_is_one_replacement_character() {
        let (text, broken) = Source::lossy(b"a\xffb\xe2\x82c");
        assert_eq!((&*text, broken), ("a\u{fffd}b\u{fffd}\u{fffd}c", vec![1, 5, 8]));
    }
}
