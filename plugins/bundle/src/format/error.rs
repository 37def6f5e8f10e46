//! What is wrong with a bundle, in OPA's words where it has them.

use std::fmt::Display;
use std::io;

use regent_core::signing::SigningError;

/// Why something is not a bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The archive itself is broken.
    #[error("archive read failed: {0}")]
    Archive(String),
    /// One file of it is broken.
    #[error("bundle load failed on {path}: {reason}")]
    File {
        /// The file's path in the bundle.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The manifest is no JSON or of another shape.
    #[error("bundle load failed on manifest decode: {0}")]
    ManifestDecode(String),
    /// Two roots of the manifest lie within each other.
    #[error("manifest has overlapped roots: '{0}' and '{1}'")]
    OverlappedRoots(String, String),
    /// Data lies outside the manifest's roots.
    #[error("manifest roots {roots} do not permit data at path '/{path}' (hint: check bundle directory structure)")]
    DataOutsideRoots {
        /// The roots as OPA prints them.
        roots: String,
        /// The path.
        path: String,
    },
    /// A policy lies outside the manifest's roots.
    #[error("manifest roots {roots} do not permit 'package {package}' in module '{file}'")]
    ModuleOutsideRoots {
        /// The roots as OPA prints them.
        roots: String,
        /// The package with dots.
        package: String,
        /// The file.
        file: String,
    },
    /// The manifest lists a compiled policy that is not there.
    #[error("manifest references wasm module '{0}' but the module file does not exist")]
    WasmMissing(String),
    /// The manifest lists one entrypoint of compiled policies twice.
    #[error("entrypoint '{0}' cannot be used by more than one wasm module")]
    WasmTwice(String),
    /// The manifest lists a compiled policy for what lies outside its roots.
    #[error("manifest roots {roots} do not permit '{entrypoint}' entrypoint for wasm module '{file}'")]
    WasmOutsideRoots {
        /// The roots as OPA prints them.
        roots: String,
        /// What it decides.
        entrypoint: String,
        /// The file.
        file: String,
    },
    /// A file is larger than the configuration allows.
    #[error("bundle file {path} size ({size} bytes) exceeds configured size_limit_bytes ({limit} bytes)")]
    FileTooLarge {
        /// The file's path in the bundle.
        path: String,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// All files together are larger than the configuration allows.
    #[error("bundle size exceeds configured size_limit_bytes ({limit} bytes)")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The list of changes is no JSON or of another shape.
    #[error("bundle load failed on patch decode: {0}")]
    PatchDecode(String),
    /// A change names an operation that does not exist.
    #[error("bad patch operation: {0}")]
    PatchOperation(String),
    /// A change lies outside the manifest's roots.
    #[error("manifest roots {roots} do not permit data patch at path '{path}'")]
    PatchOutsideRoots {
        /// The roots as OPA prints them.
        roots: String,
        /// The path.
        path: String,
    },
    /// A bundle of changes holds something else beside them.
    #[error("delta bundle expected to contain only patch file but {0} files found")]
    DeltaContent(&'static str),
    /// A bundle of changes cannot be kept on disk, for it says nothing by itself.
    #[error("'persist' property is true in config. persisting delta bundle to disk is not supported")]
    DeltaPersisted,
    /// A path of a bundle that on some systems leads to another host.
    #[error("{REMOTE}: {0}", REMOTE = crate::files::REMOTE)]
    Remote(String),
    /// The file with the signature is no JSON or of another shape.
    #[error("bundle load failed on signatures decode: {0}")]
    SignaturesDecode(String),
    /// The bundle is not signed as it should be.
    #[error(transparent)]
    Signature(#[from] SigningError),
    /// A file or directory of the machine cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Its path.
        path: String,
        /// Why not.
        source: io::Error,
    },
}

impl FormatError {
    pub(crate) fn file(path: &str, reason: impl Display) -> Self {
        Self::File { path: path.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn archive(reason: impl Display) -> Self {
        Self::Archive(reason.to_string())
    }
}
