//! OPA's conformance cases, run on any engine through the contract of `regent-core`.
//!
//! The cases are JSON files, one a topic, in the folder that `REGENT_CONFORMANCE` names, by default
//! `../shared/conformance/rego` beside the project. Their fields are those of [`Case`].
//!
//! [`check`] runs them all, prints a line for each case that fails and a table of the topics, and compares the table with
//! a [`Floor`]: how many cases of each topic an engine is known to pass. `REGENT_CONFORMANCE_RAISE=1` writes what passes
//! now into the floor's file instead.

#![expect(clippy::print_stderr, reason = "a test tells so what fails")]

mod case;
mod compare;
mod floor;
mod isolate;
pub mod kit;
mod report;
mod run;
mod setup;
mod sleep;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use case::{Case, Topic, Want};
pub use floor::Floor;
use regent_core::engine::Engine;
pub use report::{Failure, Report};
pub use setup::snapshot;
pub use sleep::Sleep;

/// Makes the engine that is judged.
pub type MakeEngine = fn() -> Arc<dyn Engine>;

/// Runs all cases on an engine and holds it to the floor in a file.
///
/// # Panics
/// When fewer cases of a topic pass than the floor says, when a case panics or cannot be stopped, and when the cases or the
/// floor cannot be read.
pub fn check(engine: MakeEngine, floor: &Path) {
    let topics = topics();
    if topics.is_empty() {
        return;
    }
    let report = Report::of(&topics, engine);
    eprint!("{report}");
    if std::env::var_os("REGENT_CONFORMANCE_RAISE").is_some() {
        Floor::of(&report).write(floor);
        return;
    }
    let mut complaints = Floor::read(floor).complaints(&report);
    complaints.extend(report.failures().filter(|failure| failure.is_fatal()).map(ToString::to_string));
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// All cases; none, with a word on standard error, where there is no folder of them.
///
/// # Panics
/// When the cases cannot be read.
pub fn topics() -> Vec<Topic> {
    let folder = folder();
    if !folder.is_dir() {
        eprintln!("conformance skipped: {} does not exist", folder.display());
        return Vec::new();
    }
    Topic::read_all(&folder)
}

/// The folder of the cases.
fn folder() -> PathBuf {
    std::env::var_os("REGENT_CONFORMANCE").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance/rego")),
        PathBuf::from,
    )
}
