//! What the tests share: an agent of store, supervisor, services and the bundle plugin, with a real engine.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use regent_core::config::Layers;
use regent_core::engine::{CompileOptions, Query, ask};
use regent_core::settings::{Identity, Settings};
use regent_core::status::{BundleStatus, Report, State};
use regent_core::telemetry::{REQUEST_BUCKETS, Telemetry};
use regent_core::value::Path;
use regent_core::{Host, Registry, Store, Supervisor, Value};
use regent_engine_rego::RegoEngine;
use regent_kit::ControlPlane;

pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Agent {
    pub(crate) host: Host,
    pub(crate) supervisor: Supervisor,
}

impl Agent {
    /// An agent that does nothing yet.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        regent_services::register(&mut registry);
        regent_signing::register(&mut registry);
        regent_bundle::register(&mut registry);
        let identity = Identity { id: "test".to_owned(), version: "0".to_owned() };
        let engine = Arc::new(RegoEngine::default());
        let store = Store::new(engine, CompileOptions::default(), Value::empty_object());
        let tree = Layers::new().load().expect("an empty configuration");
        let settings = Settings::from_tree(&tree, identity.clone()).expect("settings");
        let telemetry = Telemetry::new(REQUEST_BUCKETS).expect("buckets");
        let host = Host::new(store.expect("the empty program compiles"), telemetry, settings);
        Self { supervisor: Supervisor::new(Arc::new(registry), host.clone(), identity), host }
    }

    pub(crate) async fn start(config: &str) -> Self {
        let mut agent = Self::new();
        agent.apply(config).await.expect("a valid configuration");
        agent
    }

    pub(crate) async fn apply(&mut self, config: &str) -> Result<(), String> {
        let tree = Layers::new().text("test", config).load().map_err(|errors| errors.to_string())?;
        self.supervisor.apply(&tree).await.map_err(|errors| errors.to_string())
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
        let answer = ask(&snapshot, &Query::Document(Path::from_slashes(path)), None).expect("an answer");
        let value = answer.rows.first().and_then(|row| row.expressions.first()).map(|found| found.value.to_string());
        value.unwrap_or_else(|| "undefined".to_owned())
    }

    pub(crate) async fn trigger(&self) -> Result<(), String> {
        let mailbox = self.supervisor.mailbox("bundle").expect("the plugin runs");
        mailbox.trigger().await.map_err(|error| error.chain())
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
