//! Loads files again when they change: `run --watch`.
//!
//! The folders are watched rather than the files, because editors put a new file in the place of the old one. Changes
//! that come together are loaded together. A load that fails leaves what was there.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use regent_core::{Error, ErrorKind, Store};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::Files;
use crate::load::{self, Contents};

/// How long to wait for more of the same change.
const SETTLE: Duration = Duration::from_millis(50);

/// Watches until it is dropped.
pub(crate) struct Watch {
    task: JoinHandle<()>,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Starts watching the files, which have put `contents` into the store.
    pub(crate) fn start(store: Store, files: Files, contents: Contents) -> Result<Self, Error> {
        // One place: what matters is that something changed, not how often.
        let (notice, changes) = mpsc::channel(1);
        let failed = |error| Error::new(ErrorKind::Unavailable, "cannot watch files").caused_by(error);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error may mean that events were lost, so it counts as one.
            if event.as_ref().is_ok_and(|event| event.kind.is_access()) {
                return;
            }
            tracing::debug!(event = ?event, "Registered file event.");
            let _ = notice.try_send(());
        })
        .map_err(failed)?;
        for folder in folders(&files.paths) {
            watcher.watch(&folder, RecursiveMode::Recursive).map_err(failed)?;
        }
        let task = tokio::spawn(reload_forever(store, files, contents, changes));
        Ok(Self { task, _watcher: watcher })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn reload_forever(store: Store, files: Files, mut contents: Contents, mut changes: mpsc::Receiver<()>) {
    while changes.recv().await.is_some() {
        tokio::time::sleep(SETTLE).await;
        while changes.try_recv().is_ok() {}
        let start = Instant::now();
        let result = load::load(&store, &files, contents).await;
        let duration = format!("{:?}", start.elapsed());
        contents = match result {
            Ok(contents) => {
                tracing::info!(duration, "Processed file watch event.");
                contents
            }
            Err((error, contents)) => {
                tracing::info!(duration, err = %error, "Processed file watch event.");
                contents
            }
        };
    }
}

/// The folders that hold the paths, each once.
fn folders(paths: &[String]) -> Vec<PathBuf> {
    let mut folders: Vec<_> = paths.iter().map(|path| folder(path)).collect();
    folders.sort();
    folders.dedup();
    folders
}

fn folder(path: &str) -> PathBuf {
    let path = path.strip_prefix("file://").unwrap_or(path);
    // `prefix.path:file` puts the file below `prefix.path`.
    let path = path.split_once(':').filter(|_| !Path::new(path).exists()).map_or(path, |(_, file)| file);
    let path = Path::new(path);
    if path.is_dir() {
        return path.to_owned();
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
