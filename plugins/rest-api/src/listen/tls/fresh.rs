//! Follows the files of TLS.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{mpsc, watch};

use super::files::Contents;
use super::{Tls, TlsError};

/// How long to wait for more of the same change.
const SETTLE: Duration = Duration::from_millis(20);

/// How often to try, and how long to wait in between: certificate and key are seldom written at once.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);

/// How often to look at the files where nobody tells us that they have changed.
const FALLBACK: Duration = Duration::from_secs(10);

/// Loads the files again, by period or on change, until `stopped` closes.
pub(super) async fn keep(tls: Arc<Tls>, contents: Contents, mut stopped: watch::Receiver<()>) {
    let following = async {
        match tls.options.refresh {
            Some(period) => poll(&tls, contents, period).await,
            None => follow(&tls, contents).await,
        }
    };
    tokio::select! {
        () = following => {}
        _ = stopped.changed() => {}
    }
}

async fn poll(tls: &Arc<Tls>, mut contents: Contents, period: Duration) {
    loop {
        tokio::time::sleep(period).await;
        if let Err(error) = reload(tls, &mut contents).await {
            tracing::error!("Failed to reload TLS config: {error}");
        }
    }
}

async fn follow(tls: &Arc<Tls>, mut contents: Contents) {
    let (notice, mut changes) = mpsc::channel(1);
    let _watcher = match watch_directories(tls, notice) {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!("cannot watch the files of TLS, looking at them every {FALLBACK:?} instead: {error}");
            return poll(tls, contents, FALLBACK).await;
        }
    };
    // They may have changed while nobody was watching.
    loop {
        reload_patiently(tls, &mut contents).await;
        if changes.recv().await.is_none() {
            return;
        }
        tokio::time::sleep(SETTLE).await;
        while changes.try_recv().is_ok() {}
    }
}

/// The directories rather than the files, because a new file or link is put in the place of the old one.
fn watch_directories(tls: &Tls, notice: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // An error may mean that events were lost, so it counts as one.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            let _ = notice.try_send(());
        }
    })?;
    let mut directories: Vec<_> = tls.options.files().map(|file| directory(file)).collect();
    directories.sort();
    directories.dedup();
    for directory in directories {
        watcher.watch(&directory, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

fn directory(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

async fn reload_patiently(tls: &Arc<Tls>, contents: &mut Contents) {
    for attempt in 1.. {
        match reload(tls, contents).await {
            Ok(true) => return tracing::info!("TLS config reloaded"),
            Ok(false) => return,
            Err(error) if attempt == TRIES => {
                return tracing::error!("Failed to reload TLS config after retrying: {error}");
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Loads the files if they have changed. Tells whether they had.
async fn reload(tls: &Arc<Tls>, contents: &mut Contents) -> Result<bool, TlsError> {
    let (tls, before) = (tls.clone(), contents.clone());
    let work = tokio::task::spawn_blocking(move || -> Result<_, TlsError> {
        let after = Contents::read(&tls.options)?;
        if after == before {
            return Ok(None);
        }
        tls.replace(&after)?;
        tell(&before, &after);
        Ok(Some(after))
    });
    // The work may fail to run only at the end of the runtime, when nobody asks for the outcome.
    let after = work.await.unwrap_or(Ok(None))?;
    let changed = after.is_some();
    if let Some(after) = after {
        *contents = after;
    }
    Ok(changed)
}

fn tell(before: &Contents, after: &Contents) {
    match (before.certificate != after.certificate, before.key != after.key) {
        (true, false) => tracing::warn!("Server certificate file changed but server key file did not change."),
        (false, true) => tracing::warn!("Server key file changed but server certificate file did not change."),
        _ => {}
    }
    if before.certificate != after.certificate || before.key != after.key {
        tracing::debug!("Refreshed server certificate.");
    }
    if before.authorities != after.authorities {
        tracing::debug!("Refreshed server CA certificate pool.");
    }
}
