//! Loads what the command line names into the store: before anything else runs, and again when files change.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use notify::RecursiveMode;
use regent_bundle::content::ContentError;
use regent_bundle::files::{Ignore, LoadErrors};
use regent_bundle::format::{FormatError, Limits};
use regent_bundle::{files, local};
use regent_core::error::chain;
use regent_core::store::{BundleContent, StoreError, Transaction};
use regent_core::{Error, ErrorKind, Store};

use crate::Files;
use crate::file_watcher::FileWatcher;

/// Why files could not be loaded. Shows one link of the chain, [`regent_core::error::chain`] all of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A pattern of what to ignore is wrong.
    #[error(transparent)]
    Ignore(#[from] Error),
    /// Files cannot be read or merged.
    #[error(transparent)]
    Files(#[from] LoadErrors),
    /// A bundle cannot be read, or is not signed as it should be.
    #[error("bundle {path}")]
    Bundle {
        /// Where it is.
        path: String,
        /// Why it cannot be read.
        source: FormatError,
    },
    /// A bundle does not fit its manifest or the engine.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The store does not take them.
    #[error(transparent)]
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
            other => vec![chain(other)],
        }
    }
}

/// What files have put into the store, so that a reload can take it out again.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    policies: BTreeSet<Arc<str>>,
    /// Top-level keys of base data.
    keys: BTreeSet<String>,
}

/// Loads the files in one transaction, in place of what they contained before: all of them, or none.
pub(crate) async fn load(store: &Store, files: &Files, before: Contents) -> Result<Contents, (LoadError, Contents)> {
    if files.paths.is_empty() {
        return Ok(before);
    }
    let (files, target) = (files.clone(), store.clone());
    let work = move || if files.as_bundles { bundles(&files, &target).map(Read::Bundles) } else { plain(&files) };
    let read = tokio::task::spawn_blocking(work).await;
    let read = read.unwrap_or_else(|panic| Err(LoadError::Store(StoreError::Internal(panic.to_string()))));
    match read {
        Err(error) => Err((error, before)),
        Ok(Read::Bundles(contents)) => match store.write(|txn| txn.activate(contents)).await {
            Ok(()) => Ok(before),
            Err(error) => Err((error.into(), before)),
        },
        Ok(Read::Plain(loaded)) => replace(store, loaded, before).await,
    }
}

/// Loads the files again whenever they change (`run --watch`). They have put `contents` into the store. A load that fails
/// leaves what was there.
pub(crate) fn at_changes(
    store: Store,
    files: Files,
    mut contents: Contents,
) -> Result<impl Future<Output = ()>, Error> {
    let failed = |error| Error::new(ErrorKind::Unavailable, "cannot watch files").caused_by(error);
    let paths = files.paths.iter().map(|path| plain_path(path));
    let mut watcher = FileWatcher::new(paths, RecursiveMode::Recursive).map_err(failed)?;
    Ok(async move {
        loop {
            watcher.changed().await;
            let start = Instant::now();
            let result = load(&store, &files, contents).await;
            let duration = format!("{:?}", start.elapsed());
            contents = match result {
                Ok(contents) => {
                    tracing::info!(duration, "Processed file watch event.");
                    contents
                }
                Err((error, contents)) => {
                    tracing::info!(duration, err = %chain(&error), "Processed file watch event.");
                    contents
                }
            };
        }
    })
}

/// The path itself: `prefix.path:file` puts the file below `prefix.path`.
fn plain_path(path: &str) -> &Path {
    let path = path.strip_prefix("file://").unwrap_or(path);
    Path::new(path.split_once(':').filter(|_| !Path::new(path).exists()).map_or(path, |(_, file)| file))
}

enum Read {
    Bundles(Vec<BundleContent>),
    Plain(files::Loaded),
}

fn plain(files: &Files) -> Result<Read, LoadError> {
    let ignore = Ignore::new(&files.ignore)?;
    Ok(Read::Plain(files::load(&files.paths, &ignore, files.rego_version)?))
}

fn bundles(files: &Files, store: &Store) -> Result<Vec<BundleContent>, LoadError> {
    let ignore = Ignore::new(&files.ignore)?;
    let load = |path: &String| {
        let read = local::load_local(path, &Limits::default(), &ignore, &files.trust);
        let read = read.map_err(|source| LoadError::Bundle { path: path.clone(), source })?;
        Ok(read.prepare(store, files.rego_version)?)
    };
    files.paths.iter().map(load).collect()
}

async fn replace(store: &Store, loaded: files::Loaded, before: Contents) -> Result<Contents, (LoadError, Contents)> {
    let keys = loaded.data.as_object().cloned().unwrap_or_default();
    let after = Contents {
        policies: loaded.sources.iter().map(|source| source.id.clone()).collect(),
        keys: keys.iter().filter_map(|(key, _)| key.as_str().map(str::to_owned)).collect(),
    };
    let gone = Contents {
        policies: before.policies.difference(&after.policies).cloned().collect(),
        keys: before.keys.difference(&after.keys).cloned().collect(),
    };
    let write = store.write(move |txn| {
        remove(txn, &gone)?;
        put(txn, loaded)
    });
    match write.await {
        Ok(()) => Ok(after),
        Err(error) => Err((error.into(), before)),
    }
}

/// Takes out what files held. Whoever changed it through the API meanwhile may have done so already.
fn remove(txn: &mut Transaction, gone: &Contents) -> Result<(), StoreError> {
    for id in &gone.policies {
        match txn.remove_policy(id) {
            Ok(()) | Err(StoreError::PolicyNotFound(_)) => {}
            Err(other) => return Err(other),
        }
    }
    gone.keys.iter().for_each(|key| txn.remove_entry(key));
    Ok(())
}

fn put(txn: &mut Transaction, loaded: files::Loaded) -> Result<(), StoreError> {
    txn.check_known_input();
    txn.put_entries(&loaded.data)?;
    txn.parse_all(loaded.sources)?.into_iter().for_each(|module| txn.put_policy(module));
    Ok(())
}
