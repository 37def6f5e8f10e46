//! What the tests of the engine share.
#![allow(dead_code, reason = "no test file needs all of it")]

use std::sync::Arc;

use regent_core::Store;
use regent_core::engine::{CompileOptions, Query, QueryError, QueryText, RegoVersion, Source, ask};
use regent_core::store::{Snapshot, StoreError};
use regent_core::value::{Path, Value, decode, encode};
use regent_engine_regorus::RegorusEngine;

pub(crate) fn source(file: &str, text: &str) -> Source {
    Source { id: file.into(), file: file.into(), text: text.into(), version: RegoVersion::V1, broken: Vec::new() }
}

pub(crate) fn json(text: &str) -> Value {
    decode(text.as_bytes()).expect("valid JSON")
}

pub(crate) fn store(data: &str) -> Store {
    Store::new(Arc::new(RegorusEngine), CompileOptions::default(), json(data)).expect("an empty program compiles")
}

pub(crate) async fn load(store: &Store, modules: &[(&str, &str)]) -> Result<(), StoreError> {
    let sources: Vec<_> = modules.iter().map(|(file, text)| source(file, text)).collect();
    let work = move |transaction: &mut regent_core::store::Transaction| {
        for source in sources {
            let module = transaction.parse(source)?;
            transaction.put_policy(module);
        }
        Ok(())
    };
    store.write(work).await
}

pub(crate) async fn with(data: &str, modules: &[(&str, &str)]) -> Arc<Snapshot> {
    let store = store(data);
    load(&store, modules).await.expect("the modules compile");
    store.snapshot()
}

pub(crate) async fn refused(modules: &[(&str, &str)]) -> String {
    load(&store("{}"), modules).await.expect_err("must not compile").to_string()
}

pub(crate) fn document(path: &str) -> Query {
    Query::Document(Path::from_slashes(path))
}

pub(crate) fn text(text: &str) -> Query {
    Query::Text(QueryText {
        text: text.to_owned(),
        unsafe_builtins: vec!["http.send".to_owned()],
        ..QueryText::default()
    })
}

pub(crate) fn get(snapshot: &Snapshot, path: &str, input: Option<&str>) -> String {
    let input = input.map(json);
    match ask(snapshot, &document(path), input.as_ref()) {
        Ok(answer) => answer.document().map_or("undefined".to_owned(), encode),
        Err(error) => error.to_string(),
    }
}

/// The bindings of each row, or the error with the name of its kind.
pub(crate) fn rows(snapshot: &Snapshot, query: &str) -> String {
    match ask(snapshot, &text(query), None) {
        Ok(answer) => {
            let rows = answer.rows.into_iter().map(|row| Value::object(row.bindings));
            encode(&Value::array(rows))
        }
        Err(QueryError::Parse(errors)) => format!("parse: {errors}"),
        Err(QueryError::Compile(errors)) => format!("compile: {errors}"),
        Err(error) => error.to_string(),
    }
}
