//! The sink in an agent that has nothing else, and what its server has got.

use async_nats::jetstream::{self, stream};
use bytes::Bytes;
pub(crate) use regent_agent_kit::{LIMIT, Sink, event_of, events};
use regent_core::decision::EncodedEvent;
use regent_kit::Nats;

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

/// Starts the sink with a server and more keys.
pub(crate) async fn start(nats: &Nats, more: &str) -> Sink {
    start_at(&nats.url(), more).await
}

/// As [`start`], with the server's address.
pub(crate) async fn start_at(url: &str, more: &str) -> Sink {
    let keys = format!("servers: ['{url}'], subject: decisions, ack_timeout_seconds: 20, {more}");
    Sink::start(regent_nats_sink::register, "nats_sink", &keys).await
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
