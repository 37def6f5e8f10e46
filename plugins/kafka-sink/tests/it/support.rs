//! The sink in an agent that has nothing else, and what its topic has got.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use regent_core::config::Layers;
use regent_core::decision::EncodedEvent;
use regent_core::engine::CompileOptions;
use regent_core::settings::{Identity, Settings};
use regent_core::telemetry::Telemetry;
use regent_core::{Error, ErrorKind, Host, Registry, Store, Supervisor, Value};
use regent_engine_rego::RegoEngine;
use regent_kit::wait;

/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// Brokers with the topic `decisions`, which has one partition.
pub(crate) struct Kafka(pub(crate) MockCluster<'static, DefaultProducerContext>);

impl Kafka {
    pub(crate) fn start() -> Self {
        let cluster = MockCluster::new(1).expect("there is a free port");
        cluster.create_topic("decisions", 1, 1).expect("a new topic");
        Self(cluster)
    }

    /// Keys and payloads of the topic, in order.
    pub(crate) async fn content(&self) -> Vec<(String, Vec<u8>)> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.0.bootstrap_servers()).set("group.id", "test");
        let consumer: StreamConsumer = config.create().expect("a consumer");
        let (_, end) = consumer.fetch_watermarks("decisions", 0, LIMIT).expect("the broker is there");
        let mut list = TopicPartitionList::new();
        list.add_partition_offset("decisions", 0, Offset::Beginning).expect("a partition");
        consumer.assign(&list).expect("nobody else has it");
        let mut content = Vec::new();
        while content.len() < usize::try_from(end).expect("a number of messages") {
            let message = tokio::time::timeout(LIMIT, consumer.recv()).await.expect("a message").expect("no error");
            let key = message.key().map(|key| String::from_utf8_lossy(key).into_owned());
            content.push((key.unwrap_or_default(), message.payload().unwrap_or_default().to_vec()));
        }
        content
    }

    /// Fails unless the topic has these events alone, in order and under their ids.
    pub(crate) async fn has(&self, events: &[EncodedEvent]) {
        let expected = events.iter().map(|event| (event.decision_id().to_owned(), event.json().to_vec()));
        let (expected, content) = (expected.collect::<Vec<_>>(), self.content().await);
        assert_eq!(content.len(), expected.len());
        assert!(content == expected, "the topic has other events, or in another order");
    }
}

/// An agent with nothing but the sink.
pub(crate) struct Sink {
    host: Host,
    supervisor: Supervisor,
}

impl Sink {
    /// Starts with brokers and more keys of `plugins.kafka_sink`.
    pub(crate) async fn start(kafka: &Kafka, more: &str) -> Self {
        let brokers = kafka.0.bootstrap_servers();
        let config = format!("plugins: {{kafka_sink: {{brokers: ['{brokers}'], topic: decisions, {more}}}}}");
        let tree = Layers::new().text("test", &config).load().expect("YAML");
        let identity = Identity { id: "agent-1".to_owned(), version: "1.9.0".to_owned() };
        let settings = Settings::from_tree(&tree, identity.clone()).expect("valid settings");
        let engine = Arc::new(RegoEngine::default());
        let store = Store::new(engine, CompileOptions::default(), Value::empty_object()).expect("an empty store");
        let host = Host::new(store, Telemetry::new(&[1.0]).expect("one bucket"), settings);
        let mut registry = Registry::default();
        regent_kafka_sink::register(&mut registry);
        let mut supervisor = Supervisor::new(Arc::new(registry), host.clone(), identity);
        supervisor.apply(&tree).await.expect("a valid configuration");
        Self { host, supervisor }
    }

    /// Offers a batch once.
    pub(crate) async fn write(&self, events: &[EncodedEvent]) -> Result<(), Error> {
        let running = async || self.host.sink("kafka_sink");
        let sink = wait::until(LIMIT, "the sink", running).await.expect("it runs");
        sink.write(events.into()).await
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
    let (id, input) = (uuid::Uuid::new_v4(), "x".repeat(size));
    let text = format!(r#"{{"decision_id":"{id}","timestamp":"2026-01-02T03:04:05.678901234Z","input":"{input}"}}"#);
    EncodedEvent::decode(Bytes::from(text)).expect("an event")
}

pub(crate) fn events(count: usize) -> Vec<EncodedEvent> {
    (0..count).map(|_| event_of(16)).collect()
}
