//! Tells that files have changed.
//!
//! Their folders are watched rather than the files, because editors, and Kubernetes, put a new file in the place of the
//! old one. So other files in there count too.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

/// How long to wait for more of the same change.
const SETTLE: Duration = Duration::from_millis(100);

/// Watches until it is dropped.
pub(crate) struct FileWatcher {
    changes: mpsc::Receiver<()>,
    _watcher: RecommendedWatcher,
}

impl FileWatcher {
    /// Watches the folders, and those in which the files lie, with the folders in them if the mode says so.
    pub(crate) fn new<'p>(paths: impl Iterator<Item = &'p Path>, mode: RecursiveMode) -> notify::Result<Self> {
        // One place: what matters is that something changed, not how often.
        let (notice, changes) = mpsc::channel(1);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error may mean that events were lost, so it counts as one.
            if event.as_ref().is_ok_and(|event| event.kind.is_access()) {
                return;
            }
            tracing::debug!(event = ?event, "Registered file event.");
            let _full = notice.try_send(());
        })?;
        let mut folders: Vec<_> = paths.map(folder).collect();
        folders.sort();
        folders.dedup();
        for folder in folders {
            watcher.watch(&folder, mode)?;
        }
        Ok(Self { changes, _watcher: watcher })
    }

    /// Waits for changes; those that come together count as one.
    pub(crate) async fn changed(&mut self) {
        // The sender lives as long as the watcher.
        let _notice = self.changes.recv().await;
        tokio::time::sleep(SETTLE).await;
        while self.changes.try_recv().is_ok() {}
    }
}

fn folder(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_owned();
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
