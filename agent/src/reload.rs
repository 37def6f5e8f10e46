//! When the configuration is read again: at SIGHUP, and when one of its files changes (`--watch-config`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use regent_core::{Error, ErrorKind};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::steward::Reloader;

/// How long to wait for more of the same change.
const SETTLE: Duration = Duration::from_millis(100);

/// Reads the configuration again, until it is dropped.
#[derive(Default)]
pub(crate) struct Reloads {
    tasks: JoinSet<()>,
    watchers: Vec<RecommendedWatcher>,
}

impl Reloads {
    /// At SIGHUP, which else would end the process.
    pub(crate) fn at_hangup(&mut self, reloader: Reloader) -> Result<(), Error> {
        let failed = |error| Error::new(ErrorKind::Unavailable, "cannot listen for SIGHUP").caused_by(error);
        let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
        self.tasks.spawn(async move {
            while hangup.recv().await.is_some() {
                reloader.reload().await;
            }
        });
        Ok(())
    }

    /// When one of the files changes. Their folders are watched, because editors, and Kubernetes, put a new file in the
    /// place of the old one.
    pub(crate) fn at_changes(&mut self, files: &[PathBuf], reloader: Reloader) -> Result<(), Error> {
        let failed = |error| Error::new(ErrorKind::Unavailable, "cannot watch the configuration").caused_by(error);
        // One place: what matters is that something changed, not how often.
        let (notice, mut changes) = mpsc::channel(1);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.as_ref().is_ok_and(|event| event.kind.is_access()) {
                return;
            }
            let _full = notice.try_send(());
        })
        .map_err(failed)?;
        let mut folders: Vec<_> = files.iter().map(|file| folder(file)).collect();
        folders.sort();
        folders.dedup();
        for folder in folders {
            watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(failed)?;
        }
        self.watchers.push(watcher);
        let files = files.to_vec();
        self.tasks.spawn(async move {
            let mut known = contents(&files).await;
            while changes.recv().await.is_some() {
                tokio::time::sleep(SETTLE).await;
                while changes.try_recv().is_ok() {}
                let now = contents(&files).await;
                // Other files of the folder change too.
                if now != known {
                    known = now;
                    reloader.reload().await;
                }
            }
        });
        Ok(())
    }
}

fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What the files hold; nothing for those that cannot be read.
async fn contents(files: &[PathBuf]) -> Vec<Option<Vec<u8>>> {
    let mut contents = Vec::with_capacity(files.len());
    for file in files {
        contents.push(tokio::fs::read(file).await.ok());
    }
    contents
}
