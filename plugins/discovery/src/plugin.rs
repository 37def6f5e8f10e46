//! The plugin: asks for the bundle, evaluates it, proposes what it finds.

use std::sync::Arc;

use regent_bundle::{
    Arrival, Askers, Candidate, DiskCopy, Download, Downloader, LoadError, Loader, Origin, Verdict, trigger_all,
};
use regent_core::plugin::{Inbox, Roles, Signal};
use regent_core::steering::Accepted;
use regent_core::trigger::{Outcome, Subject};
use regent_core::{Error, Host, Plugin};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::config::{Checked, DiscoveryConfig};
use crate::evaluate::configuration;
use crate::progress::Progress;

/// Keeps the configuration up to date.
pub struct DiscoveryPlugin {
    config: DiscoveryConfig,
    host: Host,
    askers: Askers,
}

impl Plugin for DiscoveryPlugin {
    const NAME: &'static str = "discovery";
    const SECTIONS: &'static [&'static str] = &["discovery"];
    const LEADS: bool = true;
    const TAKES_FIRST_SERVICE: bool = true;
    type Config = DiscoveryConfig;

    fn build(config: DiscoveryConfig, host: Host) -> Result<Self, Error> {
        Ok(Self { config, host, askers: Askers::awaiting([Subject::Discovery]) })
    }

    fn roles(&self) -> Roles {
        Roles { triggers: Some(self.askers.role()), ..Roles::default() }
    }

    async fn run(self, mut inbox: Inbox<DiscoveryConfig>) -> Result<(), Error> {
        let Some(checked) = self.config.checked() else { return Ok(()) };
        let (sender, mut arrivals) = mpsc::channel(1);
        let loader = Loader::start(downloader(&self.host, &checked), String::new(), 0, sender);
        self.askers.replace([(Subject::Discovery, loader.asker())]);
        let mut worker = Worker {
            progress: Progress::new(self.host.clone(), checked.bundle.max_staleness),
            host: self.host,
            query: checked.query.into(),
            loader,
            pending: None,
        };
        loop {
            let stale = worker.progress.stale_at().map(Instant::from_std);
            tokio::select! {
                signal = inbox.recv() => match signal {
                    // A changed section makes a new instance, so there is nothing to take over.
                    Signal::Configure(_, reply) => reply.send(Ok(())),
                    Signal::Trigger(reply) => {
                        let loader = worker.loader.asker();
                        tokio::spawn(async move { reply.send(trigger_all(vec![loader]).await) });
                    }
                    Signal::Stop(_) => return Ok(()),
                },
                Some(arrival) = arrivals.recv() => worker.take(arrival),
                outcome = settled(&mut worker.pending) => worker.settle(outcome),
                () = sleep_until(stale.unwrap_or_else(Instant::now)), if stale.is_some() => worker.progress.look_at_age(),
            }
        }
    }
}

pub(crate) fn downloader(host: &Host, checked: &Checked) -> Downloader {
    let copy = DiskCopy::new(&host.settings().persistence_directory, &checked.kept_as);
    Downloader {
        name: DiscoveryPlugin::NAME.to_owned(),
        plugin: DiscoveryPlugin::NAME,
        config: checked.bundle.clone(),
        services: host.services.clone(),
        verifiers: host.verifiers.clone(),
        store: host.store.clone(),
        is_fresh: true,
        copy: checked.bundle.persist.then_some(copy),
    }
}

/// The plugin's state.
struct Worker {
    host: Host,
    progress: Progress,
    query: Arc<str>,
    loader: Loader,
    /// The bundle that is being evaluated and proposed; the loader waits for it, so there is but one.
    pending: Option<Pending>,
}

struct Pending {
    candidate: Arc<Candidate>,
    origin: Origin,
    verdict: oneshot::Sender<Verdict>,
    job: Job,
}

/// Evaluates and proposes; ends when it is dropped, so that nobody who stops the plugin has to wait for it.
struct Job(JoinHandle<Result<Accepted, LoadError>>);

impl Drop for Job {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits until the pending bundle's job is done; for ever if there is none.
async fn settled(pending: &mut Option<Pending>) -> Result<Accepted, LoadError> {
    match pending {
        Some(pending) => (&mut pending.job.0).await.unwrap_or_else(|ended| Err(ended.into())),
        None => std::future::pending().await,
    }
}

impl Worker {
    fn take(&mut self, arrival: Arrival) {
        let Arrival { origin, outcome, verdict, .. } = arrival;
        self.progress.arrived(origin, outcome.is_ok());
        match outcome {
            Ok(Download::Bundle(candidate, size)) => {
                self.progress.loaded(&candidate, origin, size);
                self.propose(Arc::from(candidate), origin, verdict);
            }
            Ok(Download::NotModified(etag)) => {
                if let Some(etag) = etag {
                    self.loader.set_etag(&etag);
                }
                self.progress.not_modified();
                answer(verdict, Ok(self.progress.fetched(Outcome::Unchanged)));
            }
            Ok(Download::Nothing) => {
                self.loader.set_etag("");
                self.progress.nothing_new();
                answer(verdict, Ok(self.progress.fetched(Outcome::Unchanged)));
            }
            Err(error) => {
                self.progress.failed(&error, origin);
                answer(verdict, Err(error.failure()));
            }
        }
    }

    fn propose(&mut self, candidate: Arc<Candidate>, origin: Origin, verdict: oneshot::Sender<Verdict>) {
        let (host, query, content) = (self.host.clone(), self.query.clone(), candidate.content());
        let job = tokio::spawn(async move {
            let text = configuration(&host, content, &query).await?;
            host.steering.propose(text).await.map_err(|error| LoadError::Refused(error.chain()))
        });
        self.pending = Some(Pending { candidate, origin, verdict, job: Job(job) });
    }

    /// Notes what became of the pending bundle. The `ETag` is that of what is in effect.
    fn settle(&mut self, outcome: Result<Accepted, LoadError>) {
        let Some(Pending { candidate, origin, verdict, .. }) = self.pending.take() else { return };
        match outcome {
            Ok(accepted) => {
                self.loader.set_etag(candidate.etag());
                self.progress.accepted(&candidate, origin, &accepted);
                answer(verdict, Ok(self.progress.fetched(Outcome::Activated)));
            }
            Err(error) => {
                self.loader.set_etag("");
                self.progress.refused(&error);
                answer(verdict, Err(error.failure()));
            }
        }
    }
}

fn answer(to: oneshot::Sender<Verdict>, verdict: Verdict) {
    // Whoever waited may have gone, which is fine.
    let _gone = to.send(verdict);
}
