//! What the tests of the engine share.
#![allow(dead_code, unused_imports, reason = "no test file needs all of it")]

use std::sync::Arc;

pub(crate) use regent_conformance::kit::{document, get, json, load, rows, source, text};
use regent_core::Store;
use regent_core::store::Snapshot;
use regent_engine_regorus::RegorusEngine;

pub(crate) fn store(data: &str) -> Store {
    regent_conformance::kit::store(Arc::new(RegorusEngine), data)
}

pub(crate) async fn with(data: &str, modules: &[(&str, &str)]) -> Arc<Snapshot> {
    let store = store(data);
    load(&store, modules).await.expect("the modules compile");
    store.snapshot()
}

pub(crate) async fn refused(modules: &[(&str, &str)]) -> String {
    load(&store("{}"), modules).await.expect_err("must not compile").to_string()
}
