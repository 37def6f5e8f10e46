//! Small policies, loaded and asked in one line each; for the tests of engines.
#![expect(clippy::missing_panics_doc, reason = "tests are meant to end there")]

use std::sync::Arc;

use regent_core::Store;
use regent_core::engine::{CompileOptions, Engine, Query, QueryError, QueryText, RegoVersion, Source};
use regent_core::store::{Snapshot, StoreError, Transaction};
use regent_core::value::{Path, Value, decode, encode};

/// A module of that file name.
pub fn source(file: &str, text: &str) -> Source {
    Source { id: file.into(), file: file.into(), text: text.into(), version: RegoVersion::V1, broken: Vec::new() }
}

/// JSON as a value.
pub fn json(text: &str) -> Value {
    decode(text.as_bytes()).expect("valid JSON")
}

/// A store with base data in JSON and no policy.
pub fn store(engine: Arc<dyn Engine>, data: &str) -> Store {
    Store::new(engine, CompileOptions::default(), json(data)).expect("an empty program compiles")
}

/// Puts modules, of file name and text, into the store.
///
/// # Errors
/// What the engine or the store has against them.
pub async fn load(store: &Store, modules: &[(&str, &str)]) -> Result<(), StoreError> {
    let sources: Vec<_> = modules.iter().map(|(file, text)| source(file, text)).collect();
    let work = move |transaction: &mut Transaction| {
        for source in sources {
            let module = transaction.parse(source)?;
            transaction.put_policy(module);
        }
        Ok(())
    };
    store.write(work).await
}

/// The query for the document at a path of slashes.
pub fn document(path: &str) -> Query {
    Query::Document(Path::from_slashes(path))
}

/// A query in Rego, which must not call `http.send`.
pub fn text(text: &str) -> Query {
    Query::Text(QueryText {
        text: text.to_owned(),
        unsafe_builtins: vec!["http.send".to_owned()],
        ..QueryText::default()
    })
}

/// The document at a path as JSON, `undefined`, or the error.
pub fn get(snapshot: &Snapshot, path: &str, input: Option<&str>) -> String {
    let input = input.map(json);
    match snapshot.ask(&document(path), input.as_ref()) {
        Ok(answer) => answer.document().map_or("undefined".to_owned(), encode),
        Err(error) => error.to_string(),
    }
}

/// The bindings of each row, or the error with the name of its kind.
pub fn rows(snapshot: &Snapshot, query: &str) -> String {
    match snapshot.ask(&text(query), None) {
        Ok(answer) => {
            let rows = answer.rows.into_iter().map(|row| Value::object(row.bindings));
            encode(&Value::array(rows))
        }
        Err(QueryError::Parse(errors)) => format!("parse: {errors}"),
        Err(QueryError::Compile(errors)) => format!("compile: {errors}"),
        Err(error) => error.to_string(),
    }
}
