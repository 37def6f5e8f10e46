//! Loads what the command line names into the store, before anything else runs.

use std::io;

use regent_bundle::content::ContentError;
use regent_bundle::files::{Ignore, LoadErrors};
use regent_bundle::format::{FormatError, Limits};
use regent_bundle::{files, local};
use regent_core::store::{BundleContent, Patch, PatchOp, StoreError};
use regent_core::value::Path;
use regent_core::{Error, Store, Value};

use crate::Files;

/// Why files could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A pattern of what to ignore is wrong.
    #[error("{}", .0.chain())]
    Ignore(#[from] Error),
    /// Files cannot be read or merged.
    #[error("{0}")]
    Files(#[from] LoadErrors),
    /// A bundle cannot be read.
    #[error("{}", regent_core::error::chain(.0))]
    Bundle(#[from] FormatError),
    /// A bundle does not fit its manifest or the engine.
    #[error("{}", regent_core::error::chain(.0))]
    Content(#[from] ContentError),
    /// The store does not take them.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A file cannot be read.
    #[error("{0}")]
    Read(String),
}

impl LoadError {
    /// The error for a file that cannot be read.
    pub(crate) fn read(path: &str, error: &io::Error) -> Self {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        Self::Read(format!("open {path}: {why}"))
    }

    /// One text for each thing that is wrong.
    pub(crate) fn texts(&self) -> Vec<String> {
        match self {
            Self::Files(errors) => errors.0.iter().map(ToString::to_string).collect(),
            other => vec![other.to_string()],
        }
    }
}

/// Loads the files in one transaction: all of them, or none.
pub(crate) async fn load(store: &Store, files: &Files) -> Result<(), LoadError> {
    if files.paths.is_empty() {
        return Ok(());
    }
    let (files, engine) = (files.clone(), store.engine().clone());
    let work = move || if files.as_bundles { bundles(&files, &*engine).map(Content::Bundles) } else { plain(&files) };
    let content = tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|panic| Err(LoadError::Store(StoreError::Internal(panic.to_string()))))?;
    match content {
        Content::Bundles(contents) => store.write(|txn| txn.activate(contents)).await?,
        Content::Plain(loaded) => store.write(|txn| put(txn, loaded)).await?,
    }
    Ok(())
}

enum Content {
    Bundles(Vec<BundleContent>),
    Plain(files::Loaded),
}

fn plain(files: &Files) -> Result<Content, LoadError> {
    let ignore = Ignore::new(&files.ignore)?;
    Ok(Content::Plain(files::load(&files.paths, &ignore, files.rego_version)?))
}

fn bundles(files: &Files, engine: &dyn regent_core::engine::Engine) -> Result<Vec<BundleContent>, LoadError> {
    let ignore = Ignore::new(&files.ignore)?;
    let load = |path: &String| Ok(local::load_local(path, &Limits::default(), &ignore)?.prepare(engine)?);
    files.paths.iter().map(load).collect()
}

fn put(txn: &mut regent_core::store::Transaction, loaded: files::Loaded) -> Result<(), StoreError> {
    if let Value::Object(entries) = loaded.data {
        for (key, value) in entries.iter() {
            let path = Path::new([key.as_str().unwrap_or_default()]);
            txn.patch(Patch { op: PatchOp::Add(value.clone()), path })?;
        }
    }
    // Every module is parsed before the first error is reported, so that all errors are.
    let parsed: Vec<_> = loaded.sources.into_iter().map(|source| txn.parse(source)).collect();
    let mut errors = Vec::new();
    for module in parsed {
        match module {
            Ok(module) => txn.put_policy(module),
            Err(StoreError::Policy(wrong)) => errors.extend(wrong.0),
            Err(other) => return Err(other),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(StoreError::Policy(regent_core::engine::PolicyErrors(errors))) }
}
