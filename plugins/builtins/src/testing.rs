//! Calls of functions in tests, with JSON in and out; `{"$set": […]}` stands for a set.

use std::sync::Arc;

use regent_core::builtin::{BuiltinError, Call, Operands, QueryState, SharedState};
use regent_core::caching::{Caching, ValueCache};
use regent_core::engine::{Cancel, Location};
use regent_core::fetch::Fetcher;
use regent_core::metrics::Metrics;
use regent_core::value::{Value, View, decode, encode};

use super::Builtins;

/// The time of all test queries.
pub(super) const NOW: i64 = 1_670_006_453_141_828_752;

/// Calls within one query.
pub(super) struct Query {
    functions: Builtins,
    state: QueryState,
    shared: SharedState,
    cancel: Cancel,
    allow_net: Option<Vec<Arc<str>>>,
    fetcher: Option<Arc<dyn Fetcher>>,
    caching: Caching,
    runtime: Value,
}

impl Query {
    pub(super) fn new(runtime: Value) -> Self {
        Self {
            functions: Builtins::stock(),
            state: QueryState::default(),
            shared: SharedState::default(),
            cancel: Cancel::default(),
            allow_net: None,
            fetcher: None,
            caching: Caching::default(),
            runtime,
        }
    }

    /// The same query, which may talk to that host alone.
    pub(super) fn allowing(self, host: &str) -> Self {
        Self { allow_net: Some(vec![host.into()]), ..self }
    }

    /// A query that nobody waits for any more.
    pub(super) fn cancelled() -> Self {
        let query = Self::new(Value::default());
        query.cancel.cancel();
        query
    }

    /// The same query, for which a cache of that name keeps so many values.
    pub(super) fn keeping(mut self, cache: &str, most: u64) -> Self {
        let named = ValueCache { max_num_entries: Some(most), disabled: false };
        self.caching.values.named.insert(cache.to_owned(), named);
        self
    }

    pub(super) fn call(&mut self, name: &str, operands: &str) -> Result<Option<Value>, BuiltinError> {
        let function = self.functions.get(name).unwrap_or_else(|| panic!("there is no {name}")).clone();
        let operands = value(operands);
        let mut call = Call {
            now: NOW,
            cancel: &self.cancel,
            linger: |work| work(),
            location: &Location::default,
            allow_net: self.allow_net.as_deref(),
            fetcher: self.fetcher.as_ref(),
            metrics: &mut Metrics::default(),
            caching: &self.caching,
            trace: None,
            runtime: &self.runtime,
            query: &mut self.state,
            shared: &self.shared,
        };
        function.call(Operands::new(operands.as_array().expect("an array of operands")), &mut call)
    }
}

/// The value that the JSON stands for.
pub(super) fn value(json: &str) -> Value {
    with_sets(&decode(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}")))
}

fn with_sets(value: &Value) -> Value {
    match value.view() {
        View::Array(items) => Value::array(items.iter().map(with_sets)),
        View::Object(entries) => match value.get("$set").and_then(Value::as_array) {
            Some(members) => Value::set(members.iter().map(with_sets)),
            None => Value::object(entries.iter().map(|(key, value)| (key.clone(), with_sets(value)))),
        },
        _ => value.clone(),
    }
}

/// The call gives the value, spelled to the letter.
#[track_caller]
pub(super) fn check(name: &str, operands: &str, expected: &str) {
    let result = Query::new(Value::default()).call(name, operands);
    let shown = result.as_ref().map(|value| value.as_ref().map(encode));
    assert_eq!(shown, Ok(Some(expected.to_owned())), "{name} of {operands}");
}

/// The call is undefined.
#[track_caller]
pub(super) fn check_undefined(name: &str, operands: &str) {
    assert_eq!(Query::new(Value::default()).call(name, operands), Ok(None), "{name} of {operands}");
}

/// The call fails with the message.
#[track_caller]
pub(super) fn check_error(name: &str, operands: &str, expected: &str) {
    let error = Query::new(Value::default()).call(name, operands).expect_err("fails");
    assert_eq!(error.to_string(), expected, "{name} of {operands}");
}
