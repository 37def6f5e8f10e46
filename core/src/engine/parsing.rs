//! Many modules at once, on all cores, and none that is there already.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Engine, Module, PolicyErrors, Source};
use crate::parallel;

/// Parses modules on all cores. Of a module whose source is known, to the last byte, the known one is taken: `known` are
/// modules of the same engine by their ids, such as those of [`crate::Snapshot::policies`]. Blocks.
///
/// # Errors
/// Everything that is wrong with any of them, in the order of the sources.
pub fn parse_all(
    engine: &dyn Engine,
    sources: Vec<Source>,
    known: &BTreeMap<Arc<str>, Arc<dyn Module>>,
) -> Result<Vec<Arc<dyn Module>>, PolicyErrors> {
    let parsed = parallel::map(sources, |source| match known.get(&source.id) {
        Some(module) if *module.source() == source => Ok(Arc::clone(module)),
        _ => engine.parse(source),
    });
    let mut modules = Vec::with_capacity(parsed.len());
    let mut errors = Vec::new();
    for module in parsed {
        match module {
            Ok(module) => modules.push(module),
            Err(wrong) => errors.extend(wrong.0),
        }
    }
    if errors.is_empty() { Ok(modules) } else { Err(PolicyErrors(errors)) }
}
