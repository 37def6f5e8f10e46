//! Looks after policy: gets what is new, and tells peers.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use regent_core::{Error, ErrorKind, backoff};
use regent_data_updates::rpc::raw;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::archive::BundleSource;
use super::config::PolicyConfig;
use super::git::Repository;
use super::unavailable;
use super::version::{Kinds, Version};
use crate::backbone::Backbone;
use crate::publication::Record;

/// Longest pause before another attempt after a failure, if nothing is looked at from time to time.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How many states are kept of which a difference can be told at once; of a repository others can be had.
const KEPT: usize = 16;

/// Policy that a hub has.
pub(crate) struct Policy {
    pub(super) config: PolicyConfig,
    pub(super) kinds: Kinds,
    /// States that were or are the latest, that one last.
    pub(super) versions: watch::Receiver<VecDeque<Arc<Version>>>,
    /// The repository, for older states; none of a bundle.
    pub(super) repository: Option<Arc<Repository>>,
    look: mpsc::Sender<()>,
    task: JoinHandle<()>,
    /// Where the repository and the key are kept if nobody says where; goes with this.
    _temporary: TempDir,
}

enum Source {
    Git(Arc<Repository>),
    Bundle(BundleSource),
}

impl Policy {
    /// Begins to look after it, and does so anew whenever `look` says so to `wanted`.
    ///
    /// # Errors
    /// When there is no directory for it, or no client.
    pub(crate) fn start(
        config: &PolicyConfig,
        backbone: Arc<Backbone>,
        look: mpsc::Sender<()>,
        wanted: mpsc::Receiver<()>,
    ) -> Result<Self, Error> {
        let config = config.clone();
        let kinds = Kinds { extensions: config.extensions.clone(), manifest: config.manifest.clone() };
        let temporary = tempfile::tempdir().map_err(no_room)?;
        let source = match (&config.repository, &config.bundle_url) {
            (Some(address), _) => Source::Git(Arc::new(Repository {
                directory: directory(&config, temporary.path()).map_err(no_room)?,
                address: address.clone(),
                branch: config.branch.clone(),
                ssh_key: ssh_key(&config, temporary.path()).map_err(no_room)?,
                kinds: kinds.clone(),
            })),
            (None, Some(url)) => {
                Source::Bundle(BundleSource::new(url, config.bundle_token.clone(), &config.tls, kinds.clone())?)
            }
            (None, None) => {
                return Err(Error::new(ErrorKind::Config, "`hub.policy` has neither `repository` nor `bundle_url`"));
            }
        };
        let repository = match &source {
            Source::Git(repository) => Some(repository.clone()),
            Source::Bundle(_) => None,
        };
        let (known, versions) = watch::channel(VecDeque::new());
        let watcher = Watcher { source, known, backbone, polling: config.polling() };
        let task = tokio::spawn(watcher.run(wanted));
        Ok(Self { config, kinds, versions, repository, look, task, _temporary: temporary })
    }

    /// Whether it is a bundle rather than a repository.
    pub(crate) fn is_bundle(&self) -> bool {
        self.repository.is_none()
    }

    /// Has it looked for something new.
    pub(crate) fn look(&self) {
        // One that is still to come does as well.
        let _full = self.look.try_send(());
    }
}

/// Where the repository is kept.
fn directory(config: &PolicyConfig, temporary: &Path) -> std::io::Result<PathBuf> {
    let directory = config.directory.clone().unwrap_or_else(|| temporary.join("repository"));
    std::fs::create_dir_all(&directory)?;
    std::path::absolute(directory)
}

/// The file of the key for SSH; one that is a text is written to a file that only the hub may read.
fn ssh_key(config: &PolicyConfig, temporary: &Path) -> std::io::Result<Option<PathBuf>> {
    let Some(key) = &config.ssh_key else { return Ok(None) };
    let written = key.expose();
    if !written.contains("-----BEGIN") {
        return std::path::absolute(written).map(Some);
    }
    let text = if written.contains('\n') { written.to_owned() } else { written.replace('_', "\n") };
    let path = temporary.join("key");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(format!("{}\n", text.trim_end()).as_bytes())?;
    Ok(Some(path))
}

fn no_room(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Config, "`hub.policy.directory`").caused_by(error)
}

impl Drop for Policy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Watcher {
    source: Source,
    known: watch::Sender<VecDeque<Arc<Version>>>,
    backbone: Arc<Backbone>,
    polling: Option<Duration>,
}

impl Watcher {
    async fn run(mut self, mut wanted: mpsc::Receiver<()>) {
        let mut failures = 0;
        loop {
            match self.look().await {
                Ok(()) => failures = 0,
                Err(error) => {
                    failures += 1;
                    tracing::error!(error = error.chain(), "Policy cannot be had; what there is stays.");
                }
            }
            let pause = match (failures, self.polling) {
                (0, polling) => polling,
                (failures, polling) => Some(backoff::after(failures + 1, polling.unwrap_or(LONGEST_PAUSE))),
            };
            let pause = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = pause => {}
                wanted = wanted.recv() => if wanted.is_none() {
                    return;
                },
            }
        }
    }

    async fn look(&mut self) -> Result<(), Error> {
        let latest = self.known.borrow().back().cloned();
        let version = match &mut self.source {
            Source::Git(repository) => {
                let hash = repository.fetch().await?;
                if latest.as_ref().is_some_and(|latest| latest.hash == hash) {
                    return Ok(());
                }
                let version = repository.version(&hash).await?;
                version.ok_or_else(|| unavailable("the latest commit is gone"))?
            }
            Source::Bundle(source) => match source.fetch().await? {
                Some(version) if latest.as_ref().is_none_or(|latest| latest.hash != version.hash) => version,
                _ => return Ok(()),
            },
        };
        tracing::info!(hash = version.hash, "There is new policy.");
        let version = Arc::new(version);
        self.known.send_modify(|known| {
            known.push_back(version.clone());
            if known.len() > KEPT {
                known.pop_front();
            }
        });
        match latest {
            Some(latest) => self.tell(&latest, &version).await,
            None => Ok(()),
        }
    }

    /// Tells all that are subscribed to a directory in which something has changed.
    async fn tell(&self, old: &Version, new: &Version) -> Result<(), Error> {
        let directories = new.changed_since(old);
        if directories.is_empty() {
            return Ok(());
        }
        let news = json!({
            "old_policy_hash": old.hash,
            "new_policy_hash": new.hash,
            "changed_directories": directories,
        });
        let topics = directories.iter().map(|directory| format!("policy:{directory}")).collect();
        let record = Record::message(topics, raw(&news), None);
        // A peer that does not hear of it now asks when it connects, or at the next news.
        self.backbone.append(&record.to_json()).await.map(drop)
    }
}
