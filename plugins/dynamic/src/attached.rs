//! The agent that an instance works for, from the moment on at which there is one.

use std::sync::{Arc, OnceLock};

use regent_core::Host;
use regent_core::status::State;
use tokio::runtime::Handle;

/// Whose states and services an instance's are. Clones share it.
#[derive(Clone)]
pub(crate) struct Attached(Arc<Inner>);

struct Inner {
    plugin: &'static str,
    agent: OnceLock<Agent>,
}

/// The agent, and where its futures run.
pub(crate) struct Agent {
    pub(crate) host: Host,
    pub(crate) runtime: Handle,
}

impl Attached {
    /// Nobody's yet: functions of policies, for one, are there before the agent is.
    pub(crate) fn new(plugin: &'static str) -> Self {
        Self(Arc::new(Inner { plugin, agent: OnceLock::new() }))
    }

    /// The plugin's name.
    pub(crate) fn plugin(&self) -> &'static str {
        self.0.plugin
    }

    /// Works for an agent from now on. To be called in its runtime.
    pub(crate) fn attach(&self, host: &Host) {
        let agent = Agent { host: host.for_plugin(self.0.plugin), runtime: Handle::current() };
        // The first one counts; there is but one.
        let _ = self.0.agent.set(agent);
    }

    /// The agent, if it is there yet.
    pub(crate) fn agent(&self) -> Option<&Agent> {
        self.0.agent.get()
    }

    /// Reports the plugin's state.
    pub(crate) fn report(&self, state: State, message: &str) {
        let plugin = self.0.plugin;
        if state == State::Error {
            tracing::error!(plugin, "A plugin of a library is in trouble: {message}.");
        }
        if let Some(agent) = self.agent() {
            agent.host.report(state, Some(message.to_owned()).filter(|text| !text.is_empty()));
        }
    }
}
