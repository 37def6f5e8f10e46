//! Sections of the configuration that nothing acts upon yet.

use regent_core::config::{ConfigErrors, ConfigTree};

/// Without these the agent would run without what it is told to run.
const REFUSED: &[&str] = &["discovery"];

/// Without these it runs, with less.
const IGNORED: &[&str] = &["storage", "distributed_tracing", "metrics_export"];

/// Refuses, or warns of, what would have no effect.
pub(crate) fn refuse(tree: &ConfigTree) -> Result<(), ConfigErrors> {
    for key in IGNORED.iter().filter(|key| tree.section(&[key]).is_some()) {
        tracing::warn!("`{key}` has no effect yet (from {})", tree.origin(&[key]));
    }
    let errors: Vec<_> = REFUSED
        .iter()
        .filter_map(|key| Some(tree.section_or_empty(&[key])?.error("", "is not supported yet; remove the section")))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(ConfigErrors(errors)) }
}
