//! The sink in an agent that has nothing else, and what its topic has got.

use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
pub(crate) use regent_agent_kit::{LIMIT, Sink, event_of, events};
use regent_core::decision::EncodedEvent;

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

/// Starts the sink with brokers and more keys.
pub(crate) async fn start(kafka: &Kafka, more: &str) -> Sink {
    let brokers = kafka.0.bootstrap_servers();
    let keys = format!("brokers: ['{brokers}'], topic: decisions, {more}");
    Sink::start(regent_kafka_sink::register, "kafka_sink", &keys).await
}
