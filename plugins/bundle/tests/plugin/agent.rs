//! What the tests share: an agent of store, supervisor, services and the bundle plugin, with a real engine.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use regent_core::Host;
use regent_core::engine::{Engine, Query};
use regent_core::plugin::Mailbox;
use regent_core::status::{BundleStatus, Report, State};
use regent_core::supervisor::Plan;
use regent_core::value::Path;
use regent_engine_rego::RegoEngine;
use regent_kit::ControlPlane;

pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Agent {
    pub(crate) host: Host,
    agent: regent_agent_kit::Agent,
}

impl Agent {
    /// An agent that does nothing yet.
    pub(crate) fn new() -> Self {
        Self::on(Arc::new(RegoEngine::default()))
    }

    /// The same with an engine of the test's own.
    pub(crate) fn on(engine: Arc<dyn Engine>) -> Self {
        let agent = regent_agent_kit::Agent::idle_on(engine, |registry| {
            regent_services::register(registry);
            regent_signing::register(registry);
            regent_bundle::register(registry);
        });
        Self { host: agent.host.clone(), agent }
    }

    pub(crate) async fn start(config: &str) -> Self {
        let mut agent = Self::new();
        agent.apply(config).await.expect("a valid configuration");
        agent
    }

    pub(crate) async fn apply(&mut self, config: &str) -> Result<(), String> {
        self.agent.try_apply(config).await.map_err(|errors| errors.to_string())
    }

    pub(crate) fn check(&self, config: &str) -> Result<Plan, String> {
        self.agent.check(config).map_err(|errors| errors.to_string())
    }

    pub(crate) fn mailbox(&self) -> Mailbox {
        self.agent.mailbox("bundle")
    }

    pub(crate) async fn stop(self) {
        self.agent.stop_within(LIMIT).await.expect("it stops in time");
    }

    /// Waits for a report that fits.
    pub(crate) async fn reports(&self, what: &str, fits: impl FnMut(&Report) -> bool) -> Report {
        let mut watch = self.host.status.watch();
        let found = tokio::time::timeout(LIMIT, watch.wait_for(fits)).await;
        match found {
            Ok(found) => found.expect("the board lives").clone(),
            Err(limit) => panic!("{what}: {limit}; last report: {:#?}", self.host.status.report()),
        }
    }

    /// Waits for a bundle's status that fits.
    pub(crate) async fn bundle(&self, name: &str, fits: impl Fn(&BundleStatus) -> bool) -> BundleStatus {
        let report = self.reports(name, |report| report.bundles.get(name).is_some_and(&fits)).await;
        report.bundles[name].clone()
    }

    pub(crate) async fn revision(&self, name: &str, revision: &str) -> BundleStatus {
        self.bundle(name, |status| status.active_revision.as_deref() == Some(revision)).await
    }

    pub(crate) async fn ready(&self) {
        self.reports("ready", |report| report.plugins.get("bundle").is_some_and(|plugin| plugin.state == State::Ok))
            .await;
    }

    /// What the document is, `undefined` if there is none.
    pub(crate) fn ask(&self, path: &str) -> String {
        let snapshot = self.host.store.snapshot();
        let answer = snapshot.ask(&Query::Document(Path::from_slashes(path)), None).expect("an answer");
        let value = answer.rows.first().and_then(|row| row.expressions.first()).map(|found| found.value.to_string());
        value.unwrap_or_else(|| "undefined".to_owned())
    }

    pub(crate) async fn trigger(&self) -> Result<(), String> {
        self.agent.trigger("bundle").await.map_err(|error| error.chain())
    }
}

/// A configuration that polls bundles without pause.
pub(crate) fn eager(acme: &ControlPlane, names: &[&str]) -> String {
    let mut config = format!("services: {{acme: {{url: '{}'}}}}\nbundles:\n", acme.url());
    for name in names {
        let _ = writeln!(config, "  {name}: {{polling: {{min_delay_seconds: 0, max_delay_seconds: 1}}}}");
    }
    config
}

/// A configuration in which only triggers make the agent ask.
pub(crate) fn manual(acme: &ControlPlane, names: &[&str]) -> String {
    let mut config = format!("services: {{acme: {{url: '{}'}}}}\nbundles:\n", acme.url());
    for name in names {
        let _ = writeln!(config, "  {name}: {{trigger: manual}}");
    }
    config
}
