//! The next snapshot in the making.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::StoreError;
use super::data::{self, Patch, PatchOp};
use super::ownership::require_unowned;
use super::snapshot::{ActiveBundle, CachedProgram, Snapshot};
use crate::engine::{CompileOptions, Engine, Module, PolicyErrors, RuleDocument, Source, parse_all};
use crate::metrics::Metrics;
use crate::value::{Object, Path, Value};

/// Keys below `data.system` that the agent writes: its own version and the manifests of all bundles.
const OWN: &[&str] = &["bundles", "version"];

/// Prepares the next snapshot. Nothing is visible to anyone before the commit.
pub struct Transaction {
    number: u64,
    base: Arc<Snapshot>,
    engine: Arc<dyn Engine>,
    options: CompileOptions,
    pub(super) data: Value,
    pub(super) policies: BTreeMap<Arc<str>, Arc<dyn Module>>,
    pub(super) bundles: BTreeMap<Arc<str>, ActiveBundle>,
    pub(super) policies_changed: bool,
    pub(super) data_changed: bool,
    /// Whether rules are checked against what is known of their input.
    checks_input: bool,
    /// What parsing and compiling cost.
    metrics: Metrics,
}

impl Transaction {
    pub(super) fn new(
        number: u64,
        base: Arc<Snapshot>,
        engine: Arc<dyn Engine>,
        options: CompileOptions,
        metrics: Metrics,
    ) -> Self {
        Self {
            number,
            data: base.data.clone(),
            policies: base.policies.clone(),
            bundles: BTreeMap::clone(&base.bundles),
            base,
            engine,
            options,
            policies_changed: false,
            data_changed: false,
            checks_input: false,
            metrics,
        }
    }

    /// Its number among those of the store, from 1. Transactions that fail count too.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Base data as this transaction has it.
    pub fn data(&self) -> &Value {
        &self.data
    }

    /// The modules as this transaction has them.
    pub fn policies(&self) -> &BTreeMap<Arc<str>, Arc<dyn Module>> {
        &self.policies
    }

    /// Refuses a path that belongs to a bundle. For writes that come from outside.
    ///
    /// # Errors
    /// Names the owning bundle.
    pub fn require_unowned(&self, path: &Path) -> Result<(), StoreError> {
        require_unowned(&self.bundles, path)
    }

    /// Puts a document at the path, making missing parents.
    ///
    /// # Errors
    /// When a parent cannot hold it.
    pub fn put(&mut self, path: &Path, value: Value) -> Result<(), StoreError> {
        self.data = data::put(&self.data, path, value)?;
        self.data_changed = true;
        Ok(())
    }

    /// Puts each entry of an object in place of what was at the root under its key. What the agent itself keeps below
    /// `system` stays.
    ///
    /// # Errors
    /// When the document is no object.
    pub fn put_entries(&mut self, document: &Value) -> Result<(), StoreError> {
        let Some(entries) = document.as_object() else {
            return Err(StoreError::InvalidPatch("root must be object".to_owned()));
        };
        for (key, value) in entries {
            let key = key.as_str().unwrap_or_default();
            let value = if key == "system" { self.beside_own(value) } else { value.clone() };
            self.data = self.data.with(&[key], value);
            self.data_changed = true;
        }
        Ok(())
    }

    /// Removes an entry of the root, if it is there. What the agent itself keeps below `system` stays.
    pub fn remove_entry(&mut self, key: &str) {
        let left = if key == "system" { self.beside_own(&Value::empty_object()) } else { Value::empty_object() };
        let is_empty = left.as_object().is_none_or(Object::is_empty);
        self.data = if is_empty { self.data.without(&[key]) } else { self.data.with(&[key], left) };
        self.data_changed = true;
    }

    /// A document for `system`, with what the agent keeps there in place of what it says about that.
    fn beside_own(&self, document: &Value) -> Value {
        let theirs = OWN.iter().fold(document.clone(), |document, key| document.without(&[key]));
        let own = |key: &&'static str| Some((*key, self.data.at(["system", key])?.clone()));
        OWN.iter().filter_map(own).fold(theirs, |document, (key, value)| document.with(&[key], value))
    }

    /// Applies one patch operation.
    ///
    /// # Errors
    /// When the place does not exist or cannot hold the value.
    pub fn patch(&mut self, patch: Patch) -> Result<(), StoreError> {
        self.data = data::apply(&self.data, patch)?;
        self.data_changed = true;
        Ok(())
    }

    /// Removes the document at the path.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove(&mut self, path: &Path) -> Result<(), StoreError> {
        self.patch(Patch { op: PatchOp::Remove, path: path.clone() })
    }

    /// Parses a module without storing it.
    ///
    /// # Errors
    /// When it does not parse.
    pub fn parse(&mut self, source: Source) -> Result<Arc<dyn Module>, StoreError> {
        let engine = &self.engine;
        self.metrics.time("timer_rego_module_parse_ns", |_| engine.parse(source)).map_err(StoreError::Policy)
    }

    /// As [`Transaction::parse`] for many modules: on all cores, and without those that are in the store already.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, in the order of the sources.
    pub fn parse_all(&mut self, sources: Vec<Source>) -> Result<Vec<Arc<dyn Module>>, StoreError> {
        let (engine, known) = (&*self.engine, &self.base.policies);
        let parse = |_: &mut Metrics| parse_all(engine, sources, known);
        self.metrics.time("timer_rego_module_parse_ns", parse).map_err(StoreError::Policy)
    }

    /// Stores a module under its id in place of what was there.
    pub fn put_policy(&mut self, module: Arc<dyn Module>) {
        self.policies.insert(module.source().id.clone(), module);
        self.policies_changed = true;
    }

    /// Removes a module.
    ///
    /// # Errors
    /// When no module has the id.
    pub fn remove_policy(&mut self, id: &str) -> Result<(), StoreError> {
        self.policies.remove(id).ok_or_else(|| StoreError::PolicyNotFound(id.to_owned()))?;
        self.policies_changed = true;
        Ok(())
    }

    /// Has rules checked against [`CompileOptions::known_input`]. OPA does so with files and bundles, but not with policies
    /// that come through the API.
    pub fn check_known_input(&mut self) {
        self.checks_input = true;
    }

    /// Compiles what changed and checks that rules and data fit together. No snapshot if nothing changed.
    pub(super) fn finish(mut self) -> Result<(Option<Snapshot>, Metrics), StoreError> {
        if !self.policies_changed && !self.data_changed {
            return Ok((None, self.metrics));
        }
        let program = if self.policies_changed { Arc::new(self.compile()?) } else { self.base.program.clone() };
        if !self.options.overlap {
            self.require_no_conflict(&program.program.documents())?;
        }
        let next = Snapshot {
            generation: self.base.generation + 1,
            linked: program.program.link(&self.data),
            data: self.data,
            policies: self.policies,
            bundles: Arc::new(self.bundles),
            program,
        };
        Ok((Some(next), self.metrics))
    }

    fn compile(&mut self) -> Result<CachedProgram, StoreError> {
        let modules: Vec<_> = self.policies.values().cloned().collect();
        let (engine, options) = (&self.engine, &self.options);
        let base = (!options.overlap).then(|| self.data.clone());
        let known_input = options.known_input.clone().filter(|_| self.checks_input);
        let options = CompileOptions { known_input, base, ..options.clone() };
        let former = &*self.base.program.program;
        let compile = |_: &mut Metrics| engine.recompile(&modules, &options, former);
        let program = self.metrics.time("timer_rego_module_compile_ns", compile);
        Ok(CachedProgram::new(program.map_err(StoreError::Policy)?))
    }

    fn require_no_conflict(&self, documents: &[RuleDocument]) -> Result<(), StoreError> {
        let conflicts: Vec<_> = documents.iter().filter_map(|document| document.conflict(&self.data)).collect();
        if conflicts.is_empty() { Ok(()) } else { Err(StoreError::RuleConflict(PolicyErrors(conflicts))) }
    }
}
