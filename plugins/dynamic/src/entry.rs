//! Which libraries are loaded: those that the configuration names, and those in directories.

use std::path::{Path, PathBuf};
use std::time::Duration;

use regent_core::config::{ConfigError, ConfigErrors, ConfigTree};
use regent_core::value::Path as DataPath;
use serde::Deserialize;

use crate::host::Grants;

/// The section of the configuration.
const SECTION: &str = "plugin_libraries";

/// How long a call may take if the configuration does not say.
const CALL_TIMEOUT_SECONDS: u64 = 10;

/// How names of shared libraries end.
const EXTENSIONS: [&str; 2] = ["so", "dylib"];

/// A library to load; an item of `plugin_libraries`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LibraryEntry {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 that it has to have, in hexadecimal; any if absent.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Paths of base data, such as `acme/cache`, below which its plugins may write; nowhere if empty.
    #[serde(default)]
    pub write_paths: Vec<String>,
    /// Seconds that a call may take; 10 if absent.
    #[serde(default)]
    pub call_timeout_seconds: Option<u64>,
}

impl LibraryEntry {
    /// A library about which the configuration says nothing.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), sha256: None, write_paths: Vec::new(), call_timeout_seconds: None }
    }

    pub(crate) fn grants(&self) -> Grants {
        let write_paths = self.write_paths.iter().map(|path| DataPath::from_slashes(path)).collect();
        let seconds = self.call_timeout_seconds.unwrap_or(CALL_TIMEOUT_SECONDS);
        Grants { write_paths, deadline: Duration::from_secs(seconds) }
    }
}

/// The libraries of the configuration, and then those of directories that it does not name, in the order of their names.
///
/// # Errors
/// When the section is wrong, or a directory cannot be read.
pub fn entries(tree: &ConfigTree, directories: &[PathBuf]) -> Result<Vec<LibraryEntry>, ConfigErrors> {
    let mut entries = match tree.section(&[SECTION]) {
        None => Vec::new(),
        Some(section) => section.parse::<Vec<LibraryEntry>>()?,
    };
    let error = |at: usize, key: &str, why: &str| {
        ConfigError::new(format!("{SECTION}[{at}].{key}"), why, tree.origin(&[SECTION]))
    };
    let mut errors = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let is_digest = |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !entry.sha256.as_ref().is_none_or(is_digest) {
            errors.push(error(at, "sha256", "must be a SHA-256 in hexadecimal"));
        }
        if entry.call_timeout_seconds == Some(0) {
            errors.push(error(at, "call_timeout_seconds", "must be at least 1"));
        }
        if entry.write_paths.iter().any(|path| DataPath::from_slashes(path).is_empty()) {
            errors.push(error(at, "write_paths", "must be paths below the root of data"));
        }
    }
    for directory in directories {
        match listed(directory) {
            Ok(files) => add_new(&mut entries, files),
            Err(why) => errors.push(ConfigError::opa(format!("plugin directory {}: {why}", directory.display()))),
        }
    }
    ConfigErrors(errors).into_result()?;
    Ok(entries)
}

/// The libraries in a directory, but for hidden files.
fn listed(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let paths = std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<Result<_, _>>()?;
    let is_library = |path: &PathBuf| {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        !is_hidden && path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
    };
    paths.retain(is_library);
    paths.sort();
    Ok(paths)
}

fn add_new(entries: &mut Vec<LibraryEntry>, files: Vec<PathBuf>) {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let named: Vec<PathBuf> = entries.iter().map(|entry| real(&entry.path)).collect();
    entries.extend(files.into_iter().filter(|file| !named.contains(&real(file))).map(LibraryEntry::new));
}
