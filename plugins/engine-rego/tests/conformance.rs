//! OPA's conformance cases.

use std::path::Path;
use std::sync::Arc;

use regent_engine_rego::RegoEngine;

#[test]
fn passes_as_many_cases_as_ever() {
    let floor = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance.floor");
    regent_conformance::check(
        || {
            let engine = RegoEngine::default().with_builtin(Arc::new(regent_conformance::Sleep::default()));
            Arc::new(engine.with_builtin(Arc::new(regent_http_send::HttpSend::new())))
        },
        Path::new(floor),
    );
}
