//! Runs one question on both engines, side by side.

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion};
use regent_core::engine::{Engine, Query};
use regent_core::value::{Path, Value, decode, encode};
use regent_engine_rego::RegoEngine;
use regent_engine_regorus::RegorusEngine;

/// A policy with what it is asked.
pub(crate) struct Question {
    /// The module.
    pub(crate) module: String,
    /// Base data.
    pub(crate) data: Value,
    /// The document that is asked for, below `data`, with dots.
    pub(crate) document: &'static str,
    /// The input.
    pub(crate) input: Value,
    /// The right answer as JSON.
    pub(crate) answer: String,
}

/// JSON as a value.
pub(crate) fn json(text: &str) -> Value {
    decode(text.as_bytes()).expect("valid JSON")
}

/// Measures how long each engine takes to answer, once it is clear that it does.
pub(crate) fn ask_both(criterion: &mut Criterion, name: &str, question: &Question) {
    let engines: [Arc<dyn Engine>; 2] = [Arc::new(RegoEngine::default()), Arc::new(RegorusEngine)];
    let mut group = criterion.benchmark_group(name);
    for engine in engines {
        let snapshot = regent_conformance::snapshot(&engine, question.data.clone(), &[&question.module]);
        let snapshot = snapshot.unwrap_or_else(|error| panic!("{name}: {error}"));
        let query = snapshot.prepare(&Query::Document(Path::from_dots(question.document))).expect("it compiles");
        let answer = || query.evaluate(&mut snapshot.evaluation(Some(&question.input)));
        let document = answer().expect("it evaluates").into_document();
        assert_eq!(document.as_ref().map(encode).as_ref(), Some(&question.answer), "{name} on {}", engine.name());
        group.bench_function(BenchmarkId::from_parameter(engine.name()), |bencher| bencher.iter(answer));
    }
    group.finish();
}
