//! How the tests ask.

use std::sync::Arc;

use regent_core::Store;
use regent_core::caching::Caching;
use regent_core::engine::{Cancel, CompileOptions, Engine as _, Query, QueryError, QueryText, Recorded};
use regent_core::metrics::Metrics;
use regent_core::store::Snapshot;
use regent_core::value::{Value, encode};
use regent_engine_rego::RegoEngine;
use regent_http_send::{HttpFetcher, HttpSend};

/// An engine with the function.
pub(crate) struct Agent {
    snapshot: Arc<Snapshot>,
    pub(crate) caching: Caching,
}

/// What came of a query.
pub(crate) struct Asked {
    pub(crate) result: Result<Value, String>,
    pub(crate) metrics: Metrics,
    pub(crate) recorded: Option<Recorded>,
}

impl Agent {
    pub(crate) fn new() -> Self {
        Self::allowing(None)
    }

    /// Policies may talk to these hosts only.
    pub(crate) fn allowing(hosts: Option<&[&str]>) -> Self {
        let engine = RegoEngine::default().with_builtin(Arc::new(HttpSend::new()));
        let engine = engine.with_fetcher(Arc::new(HttpFetcher::new())).expect("the engine fetches");
        let allow_net = hosts.map(|hosts| hosts.iter().map(|host| Arc::from(*host)).collect());
        let options = CompileOptions { allow_net, ..CompileOptions::default() };
        let store = Store::new(engine, options, Value::empty_object()).expect("nothing to compile");
        Self::of(&store)
    }

    /// Whatever the store has.
    pub(crate) fn of(store: &Store) -> Self {
        Self { snapshot: store.snapshot(), caching: Caching::default() }
    }

    /// What the function gives; errors are errors.
    pub(crate) fn send(&self, request: &str) -> Result<Value, String> {
        self.query(&format!("x := http.send({request})")).result
    }

    /// One part of what the function gives, as JSON.
    pub(crate) fn part(&self, request: &str, part: &str) -> String {
        let answer = self.send(request).unwrap_or_else(|error| panic!("{request}: {error}"));
        encode(answer.get(part).unwrap_or_else(|| panic!("no {part}: {answer}")))
    }

    /// `x` of a query that has one.
    pub(crate) fn query(&self, text: &str) -> Asked {
        self.query_with(text, &Cancel::default(), None)
    }

    pub(crate) fn query_with(&self, text: &str, cancel: &Cancel, recorded: Option<Recorded>) -> Asked {
        let query = Query::Text(QueryText { text: text.to_owned(), ..QueryText::default() });
        let prepared = self.snapshot.prepare(&query).expect("the query compiles");
        let mut evaluation = self.snapshot.evaluation(None);
        evaluation.strict_builtin_errors = true;
        evaluation.metrics = Metrics::on();
        evaluation.caching = &self.caching;
        evaluation.cancel = cancel;
        evaluation.recorded = recorded;
        let result = match prepared.evaluate(&mut evaluation) {
            Ok(answer) => {
                let row = answer.rows.into_iter().next().expect("the query is defined");
                Ok(row.bindings.into_iter().find(|(name, _)| &**name == "x").expect("the query has an x").1)
            }
            Err(QueryError::Evaluation(errors)) => Err(errors.0[0].message.clone()),
            Err(other) => Err(other.to_string()),
        };
        Asked { result, metrics: evaluation.metrics, recorded: evaluation.recorded }
    }
}

impl Asked {
    pub(crate) fn count(&self, counter: &str) -> String {
        let counter = format!("counter_rego_builtin_http_send_{counter}");
        self.metrics.to_value().get(&counter).map_or("0".to_owned(), encode)
    }
}
