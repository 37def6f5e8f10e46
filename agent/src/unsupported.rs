//! Sections of the configuration that nothing acts upon yet. Without them the agent runs, with less.

use regent_core::config::ConfigTree;

const IGNORED: &[&str] = &["storage", "metrics_export"];

/// Warns of what has no effect.
pub(crate) fn warn(tree: &ConfigTree) {
    for key in IGNORED.iter().filter(|key| tree.section(&[key]).is_some()) {
        tracing::warn!("`{key}` has no effect yet (from {})", tree.origin(&[key]));
    }
}
