//! When the configuration is read again: at SIGHUP, and when one of its files changes (`--watch-config`).

use std::path::PathBuf;

use notify::RecursiveMode;
use regent_core::{Error, ErrorKind};
use tokio::signal::unix::{SignalKind, signal};

use crate::file_watcher::FileWatcher;
use crate::reconfigure::Reloader;

/// Reads the configuration again at SIGHUP, which else would end the process.
pub(crate) fn at_hangup(reloader: Reloader) -> Result<impl Future<Output = ()>, Error> {
    let failed = |error| Error::new(ErrorKind::Unavailable, "cannot listen for SIGHUP").caused_by(error);
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            reloader.reload().await;
        }
    })
}

/// Reads the configuration again when one of its files changes.
pub(crate) fn at_changes(files: Vec<PathBuf>, reloader: Reloader) -> Result<impl Future<Output = ()>, Error> {
    let failed = |error| Error::new(ErrorKind::Unavailable, "cannot watch the configuration").caused_by(error);
    let paths = files.iter().map(PathBuf::as_path);
    let mut watcher = FileWatcher::new(paths, RecursiveMode::NonRecursive).map_err(failed)?;
    Ok(async move {
        let mut known = contents(&files).await;
        loop {
            watcher.changed().await;
            let now = contents(&files).await;
            // Other files of the folder change too.
            if now != known {
                known = now;
                reloader.reload().await;
            }
        }
    })
}

/// What the files hold; nothing for those that cannot be read.
async fn contents(files: &[PathBuf]) -> Vec<Option<Vec<u8>>> {
    let mut contents = Vec::with_capacity(files.len());
    for file in files {
        contents.push(tokio::fs::read(file).await.ok());
    }
    contents
}
