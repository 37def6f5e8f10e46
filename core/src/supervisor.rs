//! Starts, reconfigures and stops plugins. Owns nothing else.
//!
//! Anything starts or changes in two steps: [`Supervisor::check`] every section and build every new instance, then
//! [`Supervisor::commit`]. A failure in the first drops what was built and touches nothing.

mod plan;
mod services;
mod task;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::{ConfigErrors, ConfigTree};
use crate::error::Error;
use crate::host::Host;
use crate::plugin::Mailbox;
use crate::registry::{AnyConfig, Instance, Prepared, Registry};
use crate::settings::{Identity, Settings};
use crate::status::State;
use task::PluginTask;

pub use plan::Plan;

/// Time that a plugin has to end when its section goes or changes.
const RESTART_GRACE: Duration = Duration::from_secs(10);

/// Runs the plugins that a configuration asks for.
pub struct Supervisor {
    registry: Arc<Registry>,
    host: Host,
    identity: Identity,
    running: Vec<Active>,
}

/// A running plugin.
struct Active {
    name: &'static str,
    /// Position in the registry, which is start order.
    order: usize,
    /// What it goes by.
    config: AnyConfig,
    task: PluginTask,
}

/// What a commit does with one plugin.
enum Change {
    Start { name: &'static str, order: usize, config: AnyConfig, instance: Box<dyn Instance> },
    Tell { name: &'static str, prepared: Box<dyn Prepared> },
}

impl Supervisor {
    /// A supervisor of nothing yet. Bundles are verified by the registry's verifiers.
    pub fn new(registry: Arc<Registry>, mut host: Host, identity: Identity) -> Self {
        host.verifiers = Arc::new(registry.verifiers().clone());
        host.data_fetchers = Arc::new(registry.data_fetchers().clone());
        Self { registry, host, identity, running: Vec::new() }
    }

    /// The host that plugins are given, under the name of the agent.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Checks a configuration and builds what it asks for; nothing changes before [`Supervisor::commit`]. The plan holds
    /// for what runs now.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn check(&self, tree: &ConfigTree) -> Result<Plan, ConfigErrors> {
        let settings = Settings::from_tree(tree, self.identity.clone());
        plan::plan(&self.registry, &self.host, &self.running, tree, settings)
    }

    /// Makes the running plugins those that the configuration asks for.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration; nothing has changed then.
    pub async fn apply(&mut self, tree: &ConfigTree) -> Result<(), ConfigErrors> {
        let plan = self.check(tree)?;
        self.commit(plan).await;
        Ok(())
    }

    /// Makes the running plugins those of the plan.
    pub async fn commit(&mut self, plan: Plan) {
        let unknown = plan.unknown.iter().map(ToString::to_string);
        for warning in plan.warnings.iter().cloned().chain(unknown) {
            tracing::warn!("{warning}");
        }
        self.host.services.replace(plan.services);
        self.host.set_settings(plan.settings);
        self.stop_all_but(&plan.kept, Instant::now() + RESTART_GRACE).await;
        // All of them before the first one runs: readiness must not flicker while some have not begun.
        for change in &plan.changes {
            if let Change::Start { name, .. } = change {
                self.host.status.set_plugin(name, State::NotReady, None);
            }
        }
        for change in plan.changes {
            match change {
                Change::Start { name, order, config, instance } => {
                    let task = PluginTask::start(name, instance, &self.host);
                    self.running.push(Active { name, order, config, task });
                }
                Change::Tell { name, prepared } => self.tell(name, &*prepared).await,
            }
        }
        self.running.sort_by_key(|active| active.order);
    }

    /// Where a running plugin's signals go.
    pub fn mailbox(&self, plugin: &str) -> Option<Mailbox> {
        self.running.iter().find(|active| active.name == plugin).map(|active| active.task.mailbox())
    }

    /// Stops every plugin, the last started first. Whoever has not ended before the deadline is aborted.
    ///
    /// # Errors
    /// Names the plugins that had to be aborted.
    pub async fn shutdown(mut self, deadline: Instant) -> Result<(), Error> {
        let late = self.stop_all_but(&[], deadline).await;
        if late.is_empty() {
            return Ok(());
        }
        let message = format!("not stopped within the grace period: {}", late.join(", "));
        Err(Error::new(crate::ErrorKind::Unavailable, message))
    }

    async fn stop_all_but(&mut self, kept: &[&str], deadline: Instant) -> Vec<&'static str> {
        let mut late = Vec::new();
        let (stay, mut go): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.running).into_iter().partition(|active| kept.contains(&active.name));
        self.running = stay;
        while let Some(active) = go.pop() {
            self.host.withdraw(active.name);
            if !active.task.stop(deadline).await {
                late.push(active.name);
            }
            self.host.status.remove_plugin(active.name);
        }
        late
    }

    async fn tell(&mut self, name: &str, prepared: &dyn Prepared) {
        let Some(active) = self.running.iter_mut().find(|active| active.name == name) else {
            return;
        };
        if let Err(error) = active.task.mailbox().configure(prepared.config()).await {
            // The check passed, so this is the plugin's own failure; its state says so and the old one goes on.
            tracing::error!(plugin = name, "Plugin refused its new configuration: {}", error.chain());
            self.host.status.set_plugin(name, State::Error, Some(error.chain()));
            return;
        }
        active.config = prepared.config();
    }
}
