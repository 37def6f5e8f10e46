//! Decision sinks: an agent with nothing but a sink, and events for it.

use bytes::Bytes;
use regent_core::decision::EncodedEvent;
use regent_core::{Error, ErrorKind, Registry};
use regent_kit::wait;

use crate::{Agent, LIMIT};

/// An agent with nothing but a sink.
pub struct Sink {
    name: &'static str,
    agent: Agent,
}

impl Sink {
    /// Starts the sink that `register` brings, with the keys of `plugins.NAME` as YAML without braces. The agent is
    /// `agent-1` of version 1.9.0.
    ///
    /// # Panics
    /// When the keys are refused.
    pub async fn start(register: fn(&mut Registry), name: &'static str, keys: &str) -> Self {
        let agent = Agent::start(register, &format!("plugins: {{{name}: {{{keys}}}}}")).await;
        Self { name, agent }
    }

    /// Offers a batch once.
    ///
    /// # Errors
    /// As the sink's.
    ///
    /// # Panics
    /// When the sink does not come up.
    pub async fn write(&self, events: &[EncodedEvent]) -> Result<(), Error> {
        let running = async || self.agent.host.sink(self.name);
        let sink = wait::until(LIMIT, "the sink", running).await.expect("it runs");
        sink.write(events.into()).await
    }

    /// Offers a batch until it is taken.
    ///
    /// # Panics
    /// When it never is, or never will be.
    pub async fn deliver(&self, events: &[EncodedEvent]) {
        let taken = async || match self.write(events).await {
            Ok(()) => Some(()),
            Err(error) if error.kind() == ErrorKind::Unavailable => None,
            Err(error) => panic!("{}", error.chain()),
        };
        wait::until(LIMIT, "the batch", taken).await.expect("it is taken");
    }

    /// Offers a batch that cannot be taken now, and says why.
    ///
    /// # Panics
    /// When it is taken, or never will be.
    pub async fn unavailable(&self, events: &[EncodedEvent]) -> String {
        let error = self.write(events).await.expect_err("the batch cannot be taken");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.chain());
        error.chain()
    }

    /// Stops the agent.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn stop(self) {
        self.agent.stop().await;
    }
}

/// An event with more fields, as JSON without braces.
///
/// # Panics
/// When the fields are not JSON.
pub fn event(more: &str) -> EncodedEvent {
    let id = uuid::Uuid::new_v4();
    let text = format!(r#"{{"decision_id":"{id}","timestamp":"2026-01-02T03:04:05.678901234Z",{more}}}"#);
    EncodedEvent::decode(Bytes::from(text)).expect("an event")
}

/// An event with so many letters of input.
pub fn event_of(size: usize) -> EncodedEvent {
    event(&format!(r#""path":"app/allow","input":"{}""#, "x".repeat(size)))
}

/// So many events that differ in their ids and, by their numbers, in their inputs.
pub fn events(count: usize) -> Vec<EncodedEvent> {
    (0..count).map(|number| event(&format!(r#""path":"app/allow","input":{{"number":{number}}}"#))).collect()
}
