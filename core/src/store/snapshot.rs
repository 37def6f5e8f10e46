//! One immutable, consistent state of data and policy.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::StoreError;
use crate::engine::{
    Answer, CompileOptions, Engine, Evaluation, Linked, Module, PreparedQuery, Program, Query, QueryError, QueryText,
    RuleDocument, Unsupported,
};
use crate::metrics::Metrics;
use crate::value::{Json, Path, Value};

/// Most prepared queries that one program keeps.
const QUERY_CACHE_SIZE: usize = 100;

/// What is active of a bundle.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ActiveBundle {
    /// The manifest's revision.
    pub revision: Option<String>,
    /// The paths that the bundle owns.
    pub roots: Vec<Path>,
    /// The `ETag` it came with.
    pub etag: Option<String>,
}

/// One immutable, consistent state: data, policies, compiled program, bundles. A decision sees exactly one.
pub struct Snapshot {
    pub(super) generation: u64,
    pub(super) data: Value,
    pub(super) policies: BTreeMap<Arc<str>, Arc<dyn Module>>,
    pub(super) bundles: Arc<BTreeMap<Arc<str>, ActiveBundle>>,
    pub(super) program: Arc<CachedProgram>,
    pub(super) linked: Linked,
}

/// A program with the queries that were prepared from it. It lives as long as some snapshot has this program, so data
/// writes do not empty the cache.
pub(super) struct CachedProgram {
    pub(super) program: Arc<dyn Program>,
    /// Of documents, by their paths.
    queries: ArcSwap<HashMap<Path, Arc<dyn PreparedQuery>>>,
}

impl CachedProgram {
    pub(super) fn new(program: Arc<dyn Program>) -> Self {
        Self { program, queries: ArcSwap::default() }
    }

    fn prepare(&self, query: &Query) -> Result<Arc<dyn PreparedQuery>, QueryError> {
        let Query::Document(path) = query else { return self.program.prepare(query) };
        if let Some(known) = self.queries.load().get(path) {
            return Ok(known.clone());
        }
        let prepared = self.program.prepare(query)?;
        self.queries.rcu(|queries| {
            let mut queries = HashMap::clone(queries);
            if queries.len() >= QUERY_CACHE_SIZE {
                queries.clear();
            }
            queries.insert(path.clone(), prepared.clone());
            queries
        });
        Ok(prepared)
    }
}

impl Snapshot {
    pub(super) fn initial(engine: &dyn Engine, options: &CompileOptions, data: Value) -> Result<Self, StoreError> {
        let program = engine.compile(&[], options).map_err(StoreError::Policy)?;
        Ok(Self {
            generation: 0,
            linked: program.link(&data),
            program: Arc::new(CachedProgram::new(program)),
            data,
            policies: BTreeMap::new(),
            bundles: Arc::default(),
        })
    }

    /// Which commit made this state; grows by one with each.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Base data: everything under `data` that no rule makes.
    pub fn data(&self) -> &Value {
        &self.data
    }

    /// What the engine derived from base data.
    pub fn linked(&self) -> &Linked {
        &self.linked
    }

    /// The modules by id.
    pub fn policies(&self) -> &BTreeMap<Arc<str>, Arc<dyn Module>> {
        &self.policies
    }

    /// The active bundles by name.
    pub fn bundles(&self) -> &Arc<BTreeMap<Arc<str>, ActiveBundle>> {
        &self.bundles
    }

    /// The syntax tree of a module as compilation left it, in OPA's JSON.
    ///
    /// # Errors
    /// When the engine has no such form.
    pub fn ast(&self, module: &str) -> Result<Json, Unsupported> {
        self.program.program.ast(module)
    }

    /// The documents that rules make, each path once.
    pub fn documents(&self) -> Vec<RuleDocument> {
        self.program.program.documents()
    }

    /// The prepared form of the query; that of a document is made at its first use and kept.
    ///
    /// # Errors
    /// As [`Program::prepare`]; errors are not kept.
    pub fn prepare(&self, query: &Query) -> Result<Arc<dyn PreparedQuery>, QueryError> {
        self.program.prepare(query)
    }

    /// An evaluation of this state for queries that it prepared; without options, and measuring nothing.
    pub fn evaluation<'a>(&'a self, input: Option<&'a Value>) -> Evaluation<'a> {
        Evaluation::new(&self.data, &self.linked, input)
    }

    /// Prepares and evaluates a query in one go, for callers that ask once.
    ///
    /// # Errors
    /// As [`Program::prepare`] and [`PreparedQuery::evaluate`].
    pub fn ask(&self, query: &Query, input: Option<&Value>) -> Result<Answer, QueryError> {
        self.prepare(query)?.evaluate(&mut self.evaluation(input))
    }

    /// As [`Program::spelling`].
    pub fn spelling<'q>(&self, query: &'q QueryText) -> Cow<'q, str> {
        self.program.program.spelling(query)
    }

    /// As [`Program::time_stages`].
    pub fn time_stages(&self, query: &Query, metrics: &mut Metrics) {
        self.program.program.time_stages(query, metrics);
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("generation", &self.generation)
            .field("policies", &self.policies.keys())
            .field("bundles", &self.bundles)
            .finish_non_exhaustive()
    }
}
