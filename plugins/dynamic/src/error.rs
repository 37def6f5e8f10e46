//! Why a library is not loaded.

use std::path::{Path, PathBuf};
use std::time::Duration;

use regent_plugin_abi::{ABI_MAJOR, ABI_MINOR, ENTRY};

/// A library that is not loaded; the agent does not start then.
#[derive(Debug, thiserror::Error)]
#[error("plugin library {}: {refusal}", path.display())]
pub struct LoadError {
    path: PathBuf,
    #[source]
    refusal: Refusal,
}

impl LoadError {
    pub(crate) fn new(path: &Path, refusal: Refusal) -> Self {
        Self { path: path.to_owned(), refusal }
    }
}

/// What is wrong with a library.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    #[error("is no file")]
    NoFile,
    #[error("may be changed by everybody: take the permission away (chmod o-w)")]
    WorldWritable,
    #[error("lies in a directory where everybody may replace it: take the permission away (chmod o-w)")]
    WorldWritableDirectory,
    #[error("its SHA-256 is {found}, not {wanted} as the configuration says")]
    Digest { wanted: String, found: String },
    #[error("is no shared library for this machine: {0}")]
    NoLibrary(libloading::Error),
    #[error("is no plugin: it does not export `{ENTRY}`")]
    NoEntry,
    #[error("`{ENTRY}` gives no table")]
    NoTable,
    #[error("`{ENTRY}` gives what is no table of a plugin library")]
    NoMagic,
    #[error(
        "was built for version {0}.{1} of the ABI, which is too new: this agent has {ABI_MAJOR}.{ABI_MINOR}; take a newer \
         agent, or build the library with an older regent_plugin.h"
    )]
    TooNew(u32, u32),
    #[error(
        "was built for version {0}.{1} of the ABI, which is too old: this agent has {ABI_MAJOR}.{ABI_MINOR}; build the \
         library with its regent_plugin.h"
    )]
    TooOld(u32, u32),
    #[error("{table} says that it has {said} bytes, where version {major}.{minor} of the ABI has {is}")]
    Size { table: String, said: usize, is: usize, major: u32, minor: u32 },
    #[error("has {0} plugins, where there may be 1 to 256")]
    Count(usize),
    #[error("{0} is missing")]
    Missing(String),
    #[error("{0} is no name: letters, digits, `_`, `-` and `.`, at most 128 of them")]
    Name(String),
    #[error("{plugin} is of kind {kind}, which there is not")]
    Kind { plugin: String, kind: u32 },
    #[error("the description of {plugin} is wrong: {why}")]
    Description { plugin: String, why: String },
    #[error("{plugin} cannot be made: {why}")]
    Create { plugin: String, why: String },
    #[error("did not load within {0:?}")]
    Late(Duration),
    #[error("has a {kind} {name:?}, but there is one of that name already{from}")]
    Taken { kind: &'static str, name: String, from: String },
}
