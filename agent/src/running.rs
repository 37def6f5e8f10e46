//! A running agent, from the first look at its configuration to the last flushed log.

use std::future::Future;
use std::time::Duration;

use regent_core::config::ConfigErrors;
use regent_core::plugin::Mailbox;
use regent_core::status::State;
use regent_core::steering::Steering;
use regent_core::store::StoreError;
use regent_core::{Error, ErrorKind, Host, Registry, Value};
use regent_rest_api::{Api, BindError, Listeners, ServeError};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::assembly::Assembly;
use crate::load_files::{self, Contents, LoadError};
use crate::reconfigure::Reconfigurer;
use crate::{RunOptions, build, reload_triggers};

/// Why an agent does not start. Shows one link of the chain, [`regent_core::error::chain`] all of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// Policies or data on the command line are wrong.
    #[error("load error")]
    Load(#[source] LoadError),
    /// The store does not take what was loaded.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot listen.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Something else.
    #[error(transparent)]
    Other(#[from] Error),
    /// Plugins did not become ready in time.
    #[error("Failed to wait for plugins activation.: {0}")]
    NotReady(String),
}

impl From<LoadError> for StartError {
    fn from(error: LoadError) -> Self {
        match error {
            // Policies that do not compile were loaded all right.
            LoadError::Store(error) => Self::Store(error),
            other => Self::Load(other),
        }
    }
}

/// Why an agent did not end well. Shows one link of the chain, as [`StartError`] does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// Requests were still running when the grace period was over, or a listener failed.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Plugins had to be aborted.
    #[error(transparent)]
    Plugins(#[from] Error),
}

/// An agent whose plugins run and whose doors are about to open: [`Running::serve`] opens them.
pub struct Running {
    reconfigurer: Reconfigurer,
    host: Host,
    listeners: Listeners,
    api: Api,
    /// Who waits for signals and changes of files.
    background: JoinSet<()>,
    shutdown_wait: Duration,
    shutdown_grace: Duration,
}

impl Running {
    pub(crate) async fn start(registry: Registry, options: RunOptions) -> Result<Self, StartError> {
        let boot = options.config.read()?;
        let tree = boot.tree()?;
        let (steering, wheel) = Steering::new();
        let mut assembly = Assembly::new(registry, &tree, &options, steering)?;
        let plan = assembly.check(&tree)?;
        let host = assembly.host().clone();
        options.libraries.attach(&host);
        let load = load_files::load(&host.store, &options.files, Contents::default());
        let contents = load.await.map_err(|(error, _)| error)?;

        let listeners = Listeners::bind(options.listen).await?;
        tracing::info!(json = %addresses(&listeners), "Initializing server.");
        let version = options.files.rego_version;
        let api = Api::with_rego_version(host.clone(), assembly.server.clone(), build::info(), version);
        let mut background = JoinSet::new();
        if options.files.watch {
            background.spawn(load_files::at_changes(host.store.clone(), options.files, contents)?);
        }
        assembly.supervisor.commit(plan).await;
        if tree.section_or_empty(&["discovery"]).is_none() {
            // OPA calls that OK. Last, so that it does not make the agent ready.
            host.status.set_plugin("discovery", State::Ok, None);
        }
        let files = options.config.files();
        let reconfigurer = Reconfigurer::start(assembly, options.config, boot, tree, wheel);
        if options.reload.at_hangup {
            background.spawn(reload_triggers::at_hangup(reconfigurer.reloader())?);
        }
        if options.reload.at_changes {
            background.spawn(reload_triggers::at_changes(files, reconfigurer.reloader())?);
        }
        let (shutdown_wait, shutdown_grace) = (options.shutdown_wait, options.shutdown_grace);
        let running = Self { reconfigurer, host, listeners, api, background, shutdown_wait, shutdown_grace };
        match options.ready_timeout {
            Some(limit) => running.once_ready(limit).await,
            None => Ok(running),
        }
    }

    async fn once_ready(self, limit: Duration) -> Result<Self, StartError> {
        tracing::debug!("Waiting for plugins activation ({limit:?}).");
        let mut status = self.host.status.watch();
        let ready = status.wait_for(|report| report.plugins.values().all(|plugin| plugin.state == State::Ok));
        if tokio::time::timeout(limit, ready).await.is_ok() {
            return Ok(self);
        }
        let deadline = after(self.shutdown_grace);
        if let Some(supervisor) = self.reconfigurer.stop(deadline).await {
            // The start has failed whatever the plugins make of their end.
            let _ = supervisor.shutdown(deadline).await;
        }
        Err(StartError::NotReady(format!("timed out after {limit:?}")))
    }

    /// The addresses it listens on; a port 0 that was asked for shows as what the system gave.
    pub fn addresses(&self) -> Vec<String> {
        self.listeners.local_addresses()
    }

    /// The handles that plugins are given, for a program that embeds the agent.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Where a plugin's signals go, for example to trigger a bundle in manual mode.
    pub async fn mailbox(&self, plugin: &str) -> Option<Mailbox> {
        self.reconfigurer.mailbox(plugin).await
    }

    /// Serves until `stop` is done, then ends in order: the doors close, running requests finish, plugins flush and
    /// stop in the reverse of their start order.
    ///
    /// # Errors
    /// When a listener fails, or the grace period is over before all is done.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), StopError> {
        let wait = self.shutdown_wait;
        let told = async {
            stop.await;
            if !wait.is_zero() {
                tracing::info!("Waiting {}s before initiating shutdown...", wait.as_secs());
                tokio::time::sleep(wait).await;
            }
            tracing::info!("Shutting down...");
        };
        tracing::debug!("Server initialized.");
        let background = self.background;
        let served = self.listeners.serve(self.api, told, self.shutdown_grace).await;
        match &served {
            Ok(()) => tracing::info!("Server shutdown."),
            Err(error) => tracing::error!(err = %error, "Failed to shutdown server gracefully."),
        }
        drop(background);
        let deadline = after(self.shutdown_grace);
        let stopped = match self.reconfigurer.stop(deadline).await {
            Some(supervisor) => supervisor.shutdown(deadline).await,
            None => Err(Error::new(ErrorKind::Internal, "the task that owns the plugins has failed or is stuck")),
        };
        served?;
        Ok(stopped?)
    }
}

/// The end of a period that starts now; in a hundred years if it is longer than the clock goes.
fn after(period: Duration) -> Instant {
    const FAR: Duration = Duration::from_hours(100 * 365 * 24);
    Instant::now() + period.min(FAR)
}

fn addresses(listeners: &Listeners) -> Value {
    let shown = [("addrs", listeners.local_addresses()), ("diagnostic-addrs", listeners.diagnostic_addresses())];
    Value::object(shown)
}

#[cfg(test)]
mod tests {
    use regent_bundle::format::FormatError;
    use regent_core::error::chain;

    use super::*;

    #[test]
    fn each_link_of_an_error_is_said_once() {
        let bundle =
            LoadError::Bundle { path: "b.tar.gz".to_owned(), source: FormatError::Archive("empty".to_owned()) };
        let watching = Error::new(ErrorKind::Unavailable, "cannot watch files").caused_by("too many");
        let errors: [(StartError, &str); 4] = [
            (bundle.into(), "load error: bundle b.tar.gz: archive read failed: empty"),
            (LoadError::Ignore(watching).into(), "load error: cannot watch files: too many"),
            (LoadError::Store(StoreError::Internal("x".to_owned())).into(), "storage_internal_error: x"),
            (
                Error::new(ErrorKind::Unavailable, "cannot watch files").caused_by("too many").into(),
                "cannot watch files: too many",
            ),
        ];
        for (error, expected) in errors {
            assert_eq!(chain(&error), expected);
        }
    }
}
