//! An agent with nothing but status, and what stands around it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use regent_agent_kit::NoConfig;
pub(crate) use regent_agent_kit::{Agent, log_lines as lines, tree};
use regent_core::plugin::{Inbox, Plugin, Roles, Signal};
use regent_core::service::BoxFuture;
use regent_core::status::StatusSink;
use regent_core::{Error, Host, Registry, Value};
use regent_kit::ControlPlane;

/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// Starts an agent that has nothing but status, with a configuration below `status`, as JSON, and the control plane as the
/// service `acme`.
pub(crate) async fn start(acme: &ControlPlane, status: &str) -> Agent {
    start_whole(&whole(acme, status)).await
}

/// Starts it with a whole configuration.
pub(crate) async fn start_whole(config: &str) -> Agent {
    Agent::start(register, config).await
}

/// A configuration with the control plane as the service `acme`.
pub(crate) fn whole(acme: &ControlPlane, status: &str) -> String {
    let url = acme.url();
    format!(
        r#"{{"services": {{"acme": {{"url": "{url}"}}}}, "labels": {{"app": "demo"}}, "plugins": {{"recording": {{}}}},
            "status": {status}}}"#
    )
}

pub(crate) fn register(registry: &mut Registry) {
    regent_status::register(registry);
    registry.plugin::<Recording>();
}

/// A plugin that keeps the reports it is given.
pub(crate) struct Recording;

/// Reports that the plugin took.
pub(crate) static TAKEN: Mutex<Vec<Value>> = Mutex::new(Vec::new());

impl Plugin for Recording {
    const NAME: &'static str = "recording";
    type Config = NoConfig;

    fn build(_: NoConfig, _: Host) -> Result<Self, Error> {
        Ok(Self)
    }

    fn roles(&self) -> Roles {
        Roles { status_sink: Some(Arc::new(Self)), ..Roles::default() }
    }

    async fn run(self, mut inbox: Inbox<NoConfig>) -> Result<(), Error> {
        while !matches!(inbox.recv().await, Signal::Stop(_)) {}
        Ok(())
    }
}

impl StatusSink for Recording {
    fn write(&self, body: Value) -> BoxFuture<'_, Result<(), Error>> {
        TAKEN.lock().expect("no one panics with it").push(body);
        Box::pin(async { Ok(()) })
    }
}
