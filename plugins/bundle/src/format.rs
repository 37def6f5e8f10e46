//! The bundle format, pure: bytes or a directory in, a [`Bundle`] out.
//!
//! | file                                  | becomes                                               |
//! |---------------------------------------|-------------------------------------------------------|
//! | `**/*.rego`                           | [`Bundle::modules`], not parsed yet                   |
//! | `**/data.json`, `data.yaml`, `data.yml` | [`Bundle::data`] below the path of its directory    |
//! | `.manifest`                           | [`Bundle::manifest`]                                  |
//! | `**/*.wasm`                           | [`Bundle::wasm`]: nothing but its name                |
//! | `patch.json`                          | [`Bundle::changes`]; then nothing else may be there   |
//! | `.signatures.json`                    | nothing; all others are verified by it, as [`Trust`] asks |
//! | anything else                         | nothing                                               |
//!
//! Whoever made the archive is not trusted: every size is limited, links and paths that leave the bundle are refused,
//! and no bytes make it panic. What needs a parser of Rego (does a module lie within the roots?) is checked in
//! [`crate::content`].

mod archive;
mod assemble;
mod delta;
mod directory;
mod error;
mod limits;
mod manifest;
mod name;
pub(crate) mod path;
mod pattern;
pub mod sign;
mod trust;
mod wasm;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use regent_core::Value;
use regent_core::store::Patch;

pub use error::FormatError;
pub use limits::Limits;
pub use manifest::{Dialects, Manifest};
pub use trust::Trust;

pub(crate) use assemble::{merge, nest};

/// Deepest nesting of directories, and of data where files are merged and compared with the roots. Below it data may
/// be nested as deeply as the readers of JSON and YAML allow.
const MOST_DEPTH: usize = 255;

/// Takes a file with its path in the bundle and its bytes.
type Give<'a> = dyn FnMut(&str, &[u8]) -> Result<(), FormatError> + 'a;

/// A bundle as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Base data, an object.
    pub data: Value,
    /// Policies, in the order of the archive.
    pub modules: Vec<ModuleFile>,
    /// Changes to the data of the bundle that is active under its name; if there are any, there is nothing else.
    pub changes: Vec<Patch>,
    /// Files of policies compiled to Wasm, which are left aside.
    pub wasm: Vec<String>,
    /// How much there was.
    pub sizes: Sizes,
}

/// The text of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleFile {
    /// Its path in the bundle, with slashes between and none before: `authz/rules.rego`.
    pub path: String,
    /// The Rego text.
    pub text: Arc<str>,
}

/// How much a bundle holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Bytes of all files, uncompressed; of an archive, those that are ignored as well.
    pub content: u64,
    /// Number of entries, directories and ignored files included.
    pub entries: usize,
}

impl Bundle {
    /// Whether it changes another version of itself rather than being one.
    pub fn is_delta(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Reads a gzip-compressed tar archive, twice if a signature is to be verified: the clone starts where the archive
    /// does. Blocks as long as decompressing and reading take.
    ///
    /// # Errors
    /// When it is no such archive, exceeds a limit, or what it holds is not a bundle.
    pub fn from_archive(archive: impl Read + Clone, limits: &Limits, trust: Trust<'_>) -> Result<Self, FormatError> {
        archive::read(archive, limits, trust)
    }

    /// Reads a directory, as the command line and `file://` resources may name one. Links are passed over.
    ///
    /// # Errors
    /// When something cannot be read, exceeds a limit, or what it holds is not a bundle.
    pub fn from_directory(root: &Path, limits: &Limits, trust: Trust<'_>) -> Result<Self, FormatError> {
        directory::read(root, limits, &|_| false, trust)
    }

    /// As [`Bundle::from_directory`], without files and directories for which `ignore` says so, given their names.
    ///
    /// # Errors
    /// As [`Bundle::from_directory`].
    pub fn from_directory_without(
        root: &Path,
        limits: &Limits,
        ignore: &dyn Fn(&str) -> bool,
        trust: Trust<'_>,
    ) -> Result<Self, FormatError> {
        directory::read(root, limits, ignore, trust)
    }
}
