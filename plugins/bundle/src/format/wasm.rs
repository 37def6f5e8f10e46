//! Policies that were compiled to Wasm. They are not run; whoever reads the bundle is told so, and what is wrong with their
//! list in the manifest is refused as by OPA.

use std::collections::BTreeSet;

use regent_core::Value;
use regent_core::value::Path;

use super::{Bundle, FormatError, Manifest};

/// Names that a warning lists at most.
const SHOWN: usize = 8;

/// The entries of the manifest's list: an entrypoint, and the file that answers for it.
fn entries(manifest: &Manifest) -> impl Iterator<Item = (&str, &str)> + Clone {
    fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
        entry.get(key).and_then(Value::as_str).unwrap_or_default()
    }
    let list = manifest.wasm.as_ref().and_then(Value::as_array).into_iter().flatten();
    list.map(|entry| (text(entry, "entrypoint"), text(entry, "module")))
}

/// Refuses a list of files that are not there, of entrypoints outside the roots, or of one entrypoint twice.
pub(super) fn require_consistent(manifest: &Manifest, files: &[String]) -> Result<(), FormatError> {
    let mut seen = BTreeSet::new();
    for (entrypoint, file) in entries(manifest) {
        if !files.iter().any(|known| known == file.trim_start_matches('/')) {
            return Err(FormatError::WasmMissing(file.to_owned()));
        }
        if !manifest.permits(&Path::from_slashes(entrypoint)) {
            let roots = manifest.shown_roots();
            return Err(FormatError::WasmOutsideRoots {
                roots,
                entrypoint: entrypoint.to_owned(),
                file: file.to_owned(),
            });
        }
        if !seen.insert(entrypoint) {
            return Err(FormatError::WasmTwice(entrypoint.to_owned()));
        }
    }
    Ok(())
}

impl Bundle {
    /// What of the bundle is not made use of although its author may count on it, for people.
    pub fn warnings(&self) -> Vec<String> {
        if self.wasm.is_empty() {
            return Vec::new();
        }
        let files = listed(self.wasm.iter().map(String::as_str));
        let entrypoints = listed(entries(&self.manifest).map(|(entrypoint, _)| entrypoint));
        let mut warning = format!("policies compiled to Wasm are not run: {files}");
        if !entrypoints.is_empty() {
            warning =
                format!("{warning}; what they decide is undefined unless a policy in Rego decides it: {entrypoints}");
        }
        vec![warning]
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str> + Clone) -> String {
    let shown: Vec<_> = names.clone().take(SHOWN).collect();
    match names.count().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
