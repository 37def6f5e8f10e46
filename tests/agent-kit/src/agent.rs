//! An agent within the test.

use std::sync::Arc;
use std::time::Duration;

use regent_core::config::{ConfigErrors, ConfigTree, Layers};
use regent_core::engine::{CompileOptions, Engine, RegoVersion, Source};
use regent_core::plugin::Mailbox;
use regent_core::settings::{Identity, Settings};
use regent_core::status::State;
use regent_core::supervisor::Plan;
use regent_core::telemetry::Telemetry;
use regent_core::{Error, Host, Registry, Store, Supervisor, Value};
use regent_engine_rego::RegoEngine;
use tokio::time::Instant;

use crate::{LIMIT, PlainHttp};

/// An agent with the plugins that a test registers, the Rego engine, and services in the clear. It is `agent-1` of
/// version 1.9.0, and counts the durations of requests up to one second and above.
pub struct Agent {
    /// What plugins see of it.
    pub host: Host,
    supervisor: Supervisor,
}

impl Agent {
    /// Starts what a configuration in YAML or JSON asks for.
    ///
    /// # Panics
    /// When the configuration is refused.
    pub async fn start(register: impl FnOnce(&mut Registry), config: &str) -> Self {
        let mut agent = Self::idle(register);
        agent.apply(config).await;
        agent
    }

    /// An agent that has no configuration yet.
    ///
    /// # Panics
    /// Never.
    pub fn idle(register: impl FnOnce(&mut Registry)) -> Self {
        Self::idle_on(Arc::new(RegoEngine::default()), register)
    }

    /// The same with an engine of the test's own.
    ///
    /// # Panics
    /// When the engine cannot compile the empty program.
    pub fn idle_on(engine: Arc<dyn Engine>, register: impl FnOnce(&mut Registry)) -> Self {
        let identity = Identity { id: "agent-1".to_owned(), version: "1.9.0".to_owned() };
        let settings = Settings::from_tree(&ConfigTree::default(), identity.clone()).expect("defaults are fine");
        let store = Store::new(engine, CompileOptions::default(), Value::empty_object()).expect("an empty store");
        let host = Host::new(store, Telemetry::new(&[1.0]).expect("one bucket"), settings);
        let mut registry = Registry::default();
        registry.service_connector(Arc::new(PlainHttp));
        register(&mut registry);
        let supervisor = Supervisor::new(Arc::new(registry), host.clone(), identity);
        Self { host, supervisor }
    }

    /// Takes another configuration.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn apply(&mut self, config: &str) {
        self.try_apply(config).await.expect("a valid configuration");
    }

    /// Takes another configuration, unless something is wrong with it.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub async fn try_apply(&mut self, config: &str) -> Result<(), ConfigErrors> {
        let tree = Layers::new().text("test", config).load()?;
        self.supervisor.apply(&tree).await
    }

    /// Checks a configuration without taking it.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn check(&self, config: &str) -> Result<Plan, ConfigErrors> {
        self.supervisor.check(&Layers::new().text("test", config).load()?)
    }

    /// Puts a module in place.
    ///
    /// # Panics
    /// When it does not compile.
    pub async fn policy(&self, text: &str) {
        let source = Source {
            id: text.into(),
            file: "p.rego".into(),
            text: text.into(),
            version: RegoVersion::V1,
            broken: Vec::new(),
        };
        let put = self.host.store.write(move |transaction| {
            let module = transaction.parse(source)?;
            transaction.put_policy(module);
            Ok(())
        });
        put.await.expect("a valid module");
    }

    /// Has a running plugin do now what it does from time to time.
    ///
    /// # Errors
    /// As the plugin's.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn trigger(&self, plugin: &str) -> Result<(), Error> {
        self.mailbox(plugin).trigger().await
    }

    /// Where a running plugin's signals go.
    ///
    /// # Panics
    /// When it does not run.
    pub fn mailbox(&self, plugin: &str) -> Mailbox {
        self.supervisor.mailbox(plugin).expect("it runs")
    }

    /// Waits until a plugin has reported that it works.
    ///
    /// # Panics
    /// When it never does.
    pub async fn ready(&self, plugin: &str) {
        let is_ready = |state| state == State::Ok;
        let mut watch = self.host.status.watch();
        let ready = watch.wait_for(|report| report.plugins.get(plugin).is_some_and(|known| is_ready(known.state)));
        tokio::time::timeout(LIMIT, ready).await.expect("in time").expect("the board lives");
    }

    /// Stops.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn stop(self) {
        self.stop_within(LIMIT).await.expect("it stops in time");
    }

    /// Stops; whether everything has ended in time is up to the caller.
    ///
    /// # Errors
    /// Names the plugins that have not.
    pub async fn stop_within(self, grace: Duration) -> Result<(), Error> {
        self.supervisor.shutdown(Instant::now() + grace).await
    }
}

/// A configuration in YAML or JSON as the agent reads it.
///
/// # Panics
/// When it is neither.
pub fn tree(config: &str) -> ConfigTree {
    Layers::new().text("test", config).load().expect("valid YAML")
}
