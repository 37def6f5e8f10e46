//! The files that a command line names: `run FILES…`, `eval -d PATH`.
//!
//! | argument                   | becomes                                                                  |
//! |----------------------------|--------------------------------------------------------------------------|
//! | `x.rego`                   | a policy with the path as its id                                         |
//! | `x.json`, `x.yaml`, `x.yml`| data at the root                                                         |
//! | `x.tar.gz`                 | what the bundle in it holds                                              |
//! | `directory`                | all of these below it; data lies below the names of the inner directories|
//! | `a.b:x.json`               | data below `a.b`                                                         |
//! | `file:///x.rego`           | as the path                                                              |
//!
//! Everything is looked at, and every error reported.

mod error;
mod ignore;

use std::fs;
use std::path::Path;

use regent_core::engine::{RegoVersion, Source};
use regent_core::value::decode_prefix;
use regent_core::{Value, yaml};

use crate::format::path::join;
use crate::format::{Bundle, Limits, Trust, merge, nest};

pub use error::{FileError, LoadErrors};
pub use ignore::Ignore;

/// Deepest nesting of directories. Links are followed, so there may be circles.
const MOST_DEPTH: usize = 255;

/// What is said of a path to another host.
pub(crate) const REMOTE: &str = "UNC path read is not allowed";

/// What the files hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Policies, each path once, in the order of the arguments.
    pub sources: Vec<Source>,
    /// Base data, an object.
    pub data: Value,
}

/// Loads what the arguments name. Policies are read but not parsed; the dialect is for those that do not come from a
/// bundle that says its own. Blocks.
///
/// # Errors
/// Everything that cannot be read or does not fit together.
pub fn load<S: AsRef<str>>(arguments: &[S], ignore: &Ignore, version: RegoVersion) -> Result<Loaded, LoadErrors> {
    let loaded = Loaded { sources: Vec::new(), data: Value::empty_object() };
    let mut loading = Loading { ignore, version, loaded, errors: Vec::new() };
    for argument in arguments {
        let (prefix, path) = split_prefix(argument.as_ref());
        loading.visit(clean_url(path), &prefix, 0);
    }
    if loading.errors.is_empty() { Ok(loading.loaded) } else { Err(LoadErrors(loading.errors)) }
}

/// A path without `file:` before it.
pub(crate) fn clean_url(path: &str) -> &str {
    path.strip_prefix("file://").or_else(|| path.strip_prefix("file:")).unwrap_or(path)
}

/// Whether a path is one that Windows would look for on another host, and show the user's credentials there: refused on
/// every system, as OPA does.
pub(crate) fn is_remote(path: &str) -> bool {
    matches!(path.as_bytes(), [b'/' | b'\\', b'/' | b'\\', ..])
}

/// Takes `a.b:path` apart. A URL has no prefix.
fn split_prefix(argument: &str) -> (Vec<String>, &str) {
    match argument.split_once(':') {
        Some(("file", _)) => (Vec::new(), argument),
        Some((_, rest)) if rest.starts_with("//") => (Vec::new(), argument),
        Some((prefix, path)) if !prefix.is_empty() => (prefix.split('.').map(str::to_owned).collect(), path),
        _ => (Vec::new(), argument),
    }
}

/// What a file is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rego,
    Json,
    Yaml,
    Archive,
}

impl Kind {
    fn of(path: &str) -> Option<Self> {
        if path.ends_with(".tar.gz") {
            return Some(Self::Archive);
        }
        match Path::new(path).extension()?.to_str()? {
            "rego" => Some(Self::Rego),
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}

struct Loading<'a> {
    ignore: &'a Ignore,
    version: RegoVersion,
    loaded: Loaded,
    errors: Vec<FileError>,
}

impl Loading<'_> {
    /// Loads a file, or all below a directory. `depth` is 0 for what was named itself.
    fn visit(&mut self, path: &str, prefix: &[String], depth: usize) {
        if is_remote(path) {
            return self.errors.push(FileError::remote(path));
        }
        let result = match fs::metadata(path) {
            Err(error) => Err(FileError::stat(path, &error)),
            Ok(_) if depth > MOST_DEPTH => Err(FileError::new(path, "directories are nested too deeply")),
            Ok(about) if about.is_dir() => self.descend(path, prefix, depth),
            Ok(_) => self.take(path, prefix, depth),
        };
        self.errors.extend(result.err());
    }

    fn descend(&mut self, path: &str, prefix: &[String], depth: usize) -> Result<(), FileError> {
        let mut prefix = prefix.to_vec();
        if depth > 0 {
            prefix.extend(Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned()));
        }
        let entries = fs::read_dir(path).map_err(|error| FileError::new(path, error))?;
        let names: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.file_name())).collect();
        let mut names = names.map_err(|error| FileError::new(path, error))?;
        names.sort();
        for name in names {
            let name = name.to_string_lossy();
            if !self.ignore.matches(&name) {
                self.visit(&join(path, &name), &prefix, depth + 1);
            }
        }
        Ok(())
    }

    fn take(&mut self, path: &str, prefix: &[String], depth: usize) -> Result<(), FileError> {
        let Some(kind) = Kind::of(path) else {
            // Below a directory other files are nobody's business.
            return if depth > 0 { Ok(()) } else { self.take_unknown(path, prefix) };
        };
        let bytes = fs::read(path).map_err(|error| FileError::new(path, error))?;
        match kind {
            Kind::Rego => {
                let text = String::from_utf8(bytes).map_err(|_| FileError::new(path, "file is not valid UTF-8"))?;
                self.put(path, text.into(), self.version);
                Ok(())
            }
            Kind::Json => {
                let (value, _) = decode_prefix(&bytes).map_err(|error| FileError::new(path, error))?;
                self.mount(path, prefix, value)
            }
            Kind::Yaml => self.mount(path, prefix, parse_yaml(path, bytes)?),
            Kind::Archive => self.take_archive(path, prefix, &bytes),
        }
    }

    /// A file that was named itself is data if it looks like data.
    fn take_unknown(&mut self, path: &str, prefix: &[String]) -> Result<(), FileError> {
        let bytes = fs::read(path).map_err(|error| FileError::new(path, error))?;
        match parse_yaml(path, bytes) {
            Ok(value) if value.is_object() => self.mount(path, prefix, value),
            _ => Err(FileError::new(path, "can't recognize file type")),
        }
    }

    fn take_archive(&mut self, path: &str, prefix: &[String], bytes: &[u8]) -> Result<(), FileError> {
        let bundle = Bundle::from_archive(bytes, &Limits::default(), Trust::Blind);
        let bundle = bundle.map_err(|error| FileError::new(path, error))?;
        let dialects = bundle.manifest.dialects();
        for module in &bundle.modules {
            let version = dialects.of(&module.path, self.version);
            self.put(&module.path, module.text.clone(), version);
        }
        self.mount(path, prefix, bundle.data)
    }

    fn put(&mut self, path: &str, text: std::sync::Arc<str>, version: RegoVersion) {
        let id: std::sync::Arc<str> = join(path, "").into();
        self.loaded.sources.retain(|known| known.id != id);
        self.loaded.sources.push(Source { id, file: path.into(), text, version, broken: Vec::new() });
    }

    fn mount(&mut self, path: &str, prefix: &[String], value: Value) -> Result<(), FileError> {
        let tree = nest(prefix, value);
        let Some(tree) = tree.as_object() else {
            return Err(FileError::new(path, "document must be of type object"));
        };
        self.loaded.data = merge(&self.loaded.data, tree).ok_or_else(|| FileError::new(path, "merge error"))?;
        Ok(())
    }
}

fn parse_yaml(path: &str, bytes: Vec<u8>) -> Result<Value, FileError> {
    let text = String::from_utf8(bytes).map_err(|_| FileError::new(path, "file is not valid UTF-8"))?;
    let (value, _) = yaml::parse(&text).map_err(|error| FileError::new(path, error))?;
    Ok(value)
}
