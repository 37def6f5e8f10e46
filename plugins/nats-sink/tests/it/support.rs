//! The sink in an agent that has nothing else, and what its server has got.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{self, stream};
use bytes::Bytes;
use regent_core::config::Layers;
use regent_core::decision::EncodedEvent;
use regent_core::engine::CompileOptions;
use regent_core::settings::{Identity, Settings};
use regent_core::telemetry::Telemetry;
use regent_core::{Error, ErrorKind, Host, Registry, Store, Supervisor, Value};
use regent_engine_rego::RegoEngine;
use regent_kit::{Nats, wait};
use serde_json::json;

/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A server; nothing if it is out of reach.
pub(crate) fn nats() -> Option<Nats> {
    Nats::find(env!("CARGO_TARGET_TMPDIR"))
}

/// A running server with a stream that takes the subject `decisions`.
pub(crate) async fn nats_with_stream() -> Option<(Nats, Stream)> {
    let mut nats = nats()?;
    nats.start().await;
    let stream = Stream::create(&nats, -1).await;
    Some((nats, stream))
}

/// An agent with nothing but the sink.
pub(crate) struct Sink {
    host: Host,
    supervisor: Supervisor,
}

impl Sink {
    /// Starts with a server and more keys of `plugins.nats_sink`.
    pub(crate) async fn start(nats: &Nats, more: &str) -> Self {
        Self::start_at(&nats.url(), more).await
    }

    /// As [`Sink::start`], with the server's address.
    pub(crate) async fn start_at(url: &str, more: &str) -> Self {
        let config = format!(
            "plugins: {{nats_sink: {{servers: ['{url}'], subject: decisions, ack_timeout_seconds: 20, {more}}}}}"
        );
        let tree = Layers::new().text("test", &config).load().expect("YAML");
        let identity = Identity { id: "agent-1".to_owned(), version: "1.9.0".to_owned() };
        let settings = Settings::from_tree(&tree, identity.clone()).expect("valid settings");
        let engine = Arc::new(RegoEngine::default());
        let store = Store::new(engine, CompileOptions::default(), Value::empty_object()).expect("an empty store");
        let host = Host::new(store, Telemetry::new(&[1.0]).expect("one bucket"), settings);
        let mut registry = Registry::default();
        regent_nats_sink::register(&mut registry);
        let mut supervisor = Supervisor::new(Arc::new(registry), host.clone(), identity);
        supervisor.apply(&tree).await.expect("a valid configuration");
        Self { host, supervisor }
    }

    /// Offers a batch once.
    pub(crate) async fn write(&self, events: &[EncodedEvent]) -> Result<(), Error> {
        let running = async || self.host.sink("nats_sink");
        let sink = wait::until(LIMIT, "the sink", running).await.expect("it runs");
        sink.write(events.into()).await
    }

    /// Offers a batch until it is taken.
    pub(crate) async fn deliver(&self, events: &[EncodedEvent]) {
        let taken = async || match self.write(events).await {
            Ok(()) => Some(()),
            Err(error) if error.kind() == ErrorKind::Unavailable => None,
            Err(error) => panic!("{}", error.chain()),
        };
        wait::until(LIMIT, "the batch", taken).await.expect("it is taken");
    }

    /// Offers a batch that cannot be taken now, and says why.
    pub(crate) async fn unavailable(&self, events: &[EncodedEvent]) -> String {
        let error = self.write(events).await.expect_err("the batch cannot be taken");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.chain());
        error.chain()
    }

    pub(crate) async fn stop(self) {
        let limit = tokio::time::Instant::now() + LIMIT;
        self.supervisor.shutdown(limit).await.expect("it stops in time");
    }
}

/// An event with so many letters of input.
pub(crate) fn event_of(size: usize) -> EncodedEvent {
    let id = uuid::Uuid::new_v4().to_string();
    let event = json!({
        "decision_id": id, "timestamp": "2026-01-02T03:04:05.678901234Z", "path": "app/allow", "input": "x".repeat(size),
    });
    EncodedEvent::decode(Bytes::from(event.to_string())).expect("an event")
}

pub(crate) fn events(count: usize) -> Vec<EncodedEvent> {
    (0..count).map(|_| event_of(16)).collect()
}

/// A stream that takes the subject `decisions`, looked into by another client.
pub(crate) struct Stream(jetstream::Context);

impl Stream {
    /// Makes it on a server that lets anyone in; `largest` in bytes limits its events, unless it is negative.
    pub(crate) async fn create(nats: &Nats, largest: i32) -> Self {
        let client = async_nats::connect(nats.url()).await.expect("the server is there");
        Self::create_by(client, largest).await
    }

    pub(crate) async fn create_by(client: async_nats::Client, largest: i32) -> Self {
        let context = jetstream::new(client);
        let config = stream::Config { max_message_size: largest, ..config() };
        context.create_stream(config).await.expect("JetStream is there");
        Self(context)
    }

    /// Has it take no more than so many events, and refuse others.
    pub(crate) async fn limit(&self, events: Option<i64>) {
        let max_messages = events.unwrap_or(-1);
        let config = stream::Config { max_messages, discard: stream::DiscardPolicy::New, ..config() };
        self.0.update_stream(config).await.expect("the stream is there");
    }

    /// What it has: ids under which events were published, and the events.
    pub(crate) async fn content(&self) -> Vec<(String, Bytes)> {
        let stream = self.0.get_stream("audit").await.expect("the stream is there");
        let mut content = Vec::new();
        for sequence in 1..=stream.cached_info().state.last_sequence {
            let message = stream.get_raw_message(sequence).await.expect("nothing has been removed");
            let id = message.headers.get("Nats-Msg-Id").expect("every event has one").to_string();
            content.push((id, message.payload));
        }
        content
    }

    /// Fails unless it has these events alone, in order and under their ids.
    pub(crate) async fn has(&self, events: &[EncodedEvent]) {
        let expected = events.iter().map(|event| (event.decision_id().to_owned(), event.json().clone()));
        let (expected, content) = (expected.collect::<Vec<_>>(), self.content().await);
        assert_eq!(content.len(), expected.len());
        assert!(content == expected, "the stream has other events, or in another order");
    }
}

fn config() -> stream::Config {
    stream::Config {
        name: "audit".to_owned(),
        subjects: vec!["decisions".to_owned()],
        max_message_size: -1,
        ..stream::Config::default()
    }
}
