//! What these tests share.

use std::sync::Arc;
use std::time::Duration;

use regent_core::engine::{Cancel, Engine, Evaluation, Query, QueryText};
use regent_core::store::Snapshot;
use regent_core::value::{Path, Value, decode, encode};
use regent_engine_rego::RegoEngine;

/// What threads of a server have.
const SMALL_STACK: usize = 2 << 20;

/// How long an evaluation may go on before somebody ends it.
const PATIENCE: Duration = Duration::from_millis(200);

/// Does work on a thread with a small stack.
pub(crate) fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(SMALL_STACK).spawn(work).expect("a thread");
    thread.join().expect("no panic")
}

pub(crate) fn json(text: &str) -> Value {
    decode(text.as_bytes()).expect("valid JSON")
}

/// A state of one module; the error is what is wrong with the module.
pub(crate) fn load(module: &str, data: Value) -> Result<Arc<Snapshot>, String> {
    let engine: Arc<dyn Engine> = Arc::new(RegoEngine::default());
    regent_conformance::snapshot(&engine, data, &[module])
}

/// The document at a path below package `t`.
pub(crate) fn document(name: &str) -> Query {
    Query::Document(Path::from_dots(&format!("t.{name}")))
}

pub(crate) fn text(text: &str) -> Query {
    Query::Text(QueryText { text: text.to_owned(), ..QueryText::default() })
}

/// An answer as JSON, or the error's text.
pub(crate) fn ask(snapshot: &Snapshot, query: &Query, input: Option<&Value>, cancel: &Cancel) -> String {
    let prepared = match snapshot.prepare(query) {
        Ok(prepared) => prepared,
        Err(error) => return error.to_string(),
    };
    let mut evaluation = Evaluation { cancel, ..snapshot.evaluation(input) };
    match prepared.evaluate(&mut evaluation) {
        Ok(answer) => answer.into_document().map_or_else(|| "undefined".to_owned(), |value| encode(&value)),
        Err(error) => error.to_string(),
    }
}

/// The answer to `p` of a module that begins with `package t`, or the first error on the way there.
pub(crate) fn answer(module: &str, input: Option<&Value>) -> String {
    match load(&format!("package t\n\n{module}"), json("{}")) {
        Ok(snapshot) => ask(&snapshot, &document("p"), input, &Cancel::default()),
        Err(error) => error,
    }
}

/// A signal that is given after a while.
pub(crate) fn cancel_soon() -> Cancel {
    let cancel = Cancel::default();
    let signal = cancel.clone();
    std::thread::spawn(move || {
        std::thread::sleep(PATIENCE);
        signal.cancel();
    });
    cancel
}
