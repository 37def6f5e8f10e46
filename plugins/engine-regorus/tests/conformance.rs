//! OPA's conformance cases, as far as regorus gets.

use std::path::Path;
use std::sync::Arc;

use regent_engine_regorus::RegorusEngine;

#[test]
fn passes_as_many_cases_as_ever() {
    let floor = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance.floor");
    regent_conformance::check(|| Arc::new(RegorusEngine), Path::new(floor));
}
