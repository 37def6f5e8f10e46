//! A toy engine: a module is `package a.b` and lines `name value`, each of which makes a document of JSON.

use std::sync::Arc;

use regent_core::builtin::Builtin;
use regent_core::engine::{
    Answer, CompileOptions, Engine, ErrorCode, Evaluation, Linked, Location, Module, PolicyError, PolicyErrors,
    PreparedQuery, Program, Query, QueryError, RegoVersion, RuleDocument, Source, Unsupported,
};
use regent_core::value::{Json, Path, decode};
use regent_core::{Store, Value};

pub(crate) struct Toy;

struct ToyModule {
    source: Source,
    package: Path,
    rules: Vec<(RuleDocument, Value)>,
}

pub(crate) fn source(id: &str, text: &str) -> Source {
    Source { id: id.into(), file: id.into(), text: text.into(), version: RegoVersion::V1, broken: Vec::new() }
}

pub(crate) fn store() -> Store {
    Store::new(Arc::new(Toy), CompileOptions::default(), Value::empty_object()).expect("an empty program compiles")
}

impl Engine for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn parse(&self, source: Source) -> Result<Arc<dyn Module>, PolicyErrors> {
        let at = |row| Location { file: source.file.clone(), row, col: 1 };
        let bad = |row, text: &str| PolicyErrors::one(PolicyError::new(ErrorCode::Parse, text, at(row)));
        let mut lines = source.text.lines().zip(1..);
        let package = lines.next().and_then(|(line, _)| line.strip_prefix("package ")).map(Path::from_dots);
        let package = package.ok_or_else(|| bad(1, "package expected"))?;
        let mut rules = Vec::new();
        for (line, row) in lines.filter(|(line, _)| !line.is_empty()) {
            let (name, json) = line.split_once(' ').ok_or_else(|| bad(row, "value expected"))?;
            let value = decode(json.as_bytes()).map_err(|error| bad(row, &error.to_string()))?;
            rules.push((RuleDocument { path: package.child(name), location: at(row) }, value));
        }
        Ok(Arc::new(ToyModule { source, package, rules }))
    }

    fn with_builtins(&self, _: &[Arc<dyn Builtin>]) -> Result<Arc<dyn Engine>, Unsupported> {
        Err(Unsupported { engine: "toy", feature: "built-in functions".to_owned() })
    }

    fn compile(&self, modules: &[Arc<dyn Module>], _: &CompileOptions) -> Result<Arc<dyn Program>, PolicyErrors> {
        let toys = modules.iter().map(|module| {
            let any: &dyn std::any::Any = &**module;
            any.downcast_ref::<ToyModule>().expect("a module of this engine")
        });
        Ok(Arc::new(ToyProgram(toys.flat_map(|module| module.rules.clone()).collect())))
    }
}

impl Module for ToyModule {
    fn source(&self) -> &Source {
        &self.source
    }

    fn package(&self) -> &Path {
        &self.package
    }
}

struct ToyProgram(Vec<(RuleDocument, Value)>);

impl Program for ToyProgram {
    fn ast(&self, _: &str) -> Result<Json, Unsupported> {
        Err(Unsupported { engine: "toy", feature: "syntax trees".to_owned() })
    }

    fn documents(&self) -> Vec<RuleDocument> {
        self.0.iter().map(|(document, _)| document.clone()).collect()
    }

    fn link(&self, _: &Value) -> Linked {
        Arc::new(())
    }

    fn prepare(&self, query: &Query) -> Result<Arc<dyn PreparedQuery>, QueryError> {
        let Query::Document(path) = query else {
            return Err(QueryError::Invalid("documents only".to_owned()));
        };
        let rule = self.0.iter().find(|(document, _)| document.path == *path).map(|(_, value)| value.clone());
        Ok(Arc::new(ToyQuery { path: path.clone(), rule }))
    }
}

struct ToyQuery {
    path: Path,
    rule: Option<Value>,
}

impl PreparedQuery for ToyQuery {
    fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Result<Answer, QueryError> {
        let base = || evaluation.data.at(self.path.segments()).cloned();
        Ok(Answer::of_document(self.rule.clone().or_else(base), &self.path.to_reference()))
    }
}
