//! Sections of the configuration that nothing acts upon yet. Without them the agent runs, with less.

use regent_core::config::ConfigTree;

const IGNORED: &[&str] = &["storage", "metrics_export"];

/// Warnings of what has no effect.
pub(crate) fn warnings(tree: &ConfigTree) -> Vec<String> {
    let ignored = IGNORED.iter().filter(|key| tree.section(&[key]).is_some());
    ignored.map(|key| format!("`{key}` has no effect yet (from {})", tree.origin(&[key]))).collect()
}
