//! librdkafka's producer, and what becomes of the events that it is given.

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord};
use regent_core::decision::EncodedEvent;
use regent_core::{Error, ErrorKind};
use tokio::sync::watch;

use crate::config::{Config, Key};

/// Notes what brokers are said to be wrong with; the errors of events only tell that their time is over.
struct Listener(watch::Sender<Option<String>>);

impl ClientContext for Listener {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, _: KafkaError, reason: &str) {
        self.0.send_replace(Some(reason.to_owned()));
    }
}

/// A producer for one topic.
pub(crate) struct Producer {
    inner: FutureProducer<Listener>,
    topic: String,
    key: Key,
    /// The last that was wrong with a broker.
    trouble: watch::Receiver<Option<String>>,
}

/// What became of an event.
pub(crate) enum DeliveryReport {
    /// It is acknowledged.
    Delivered,
    /// It, or what it was sent together with, is too large.
    TooLarge(String),
    /// It may be acknowledged another time.
    Failed(Error),
}

impl Producer {
    /// Starts the threads of a producer. Connects to nothing yet.
    ///
    /// # Errors
    /// When librdkafka does not like the configuration as a whole.
    pub(crate) fn start(config: &Config) -> Result<Self, Error> {
        let (sender, trouble) = watch::channel(None);
        let inner = config.client().create_with_context(Listener(sender));
        // What it does not like is said without values here: they may be secrets.
        let inner = inner.map_err(|error| match error {
            KafkaError::ClientCreation(why) => Error::new(ErrorKind::Config, format!("kafka_sink: {why}")),
            _ => Error::new(ErrorKind::Config, "kafka_sink: librdkafka refuses the configuration"),
        })?;
        Ok(Self { inner, topic: config.topic.clone(), key: config.key, trouble })
    }

    /// Publishes events in order, and tells what became of each.
    pub(crate) async fn publish(&self, events: impl Iterator<Item = &EncodedEvent>) -> Vec<DeliveryReport> {
        let sent: Vec<_> = events.map(|event| self.send(event)).collect();
        let mut reports = Vec::with_capacity(sent.len());
        for sent in sent {
            reports.push(match sent {
                Ok(delivery) => match delivery.await {
                    Ok(Ok(_)) => DeliveryReport::Delivered,
                    Ok(Err((error, _))) => self.report(&error),
                    Err(_) => self.report(&KafkaError::Canceled),
                },
                Err(error) => self.report(&error),
            });
        }
        reports
    }

    /// Ends its threads, which takes a moment.
    pub(crate) async fn end(self) {
        // Nobody waits for what it could say.
        let _ended = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    fn send(&self, event: &EncodedEvent) -> Result<rdkafka::producer::DeliveryFuture, KafkaError> {
        let record = FutureRecord::to(&self.topic).payload(&event.json()[..]);
        let record = record.timestamp(event.timestamp().as_millisecond());
        let record = match self.key {
            Key::DecisionId => record.key(event.decision_id()),
            Key::None => record,
        };
        self.inner.send_result(record).map_err(|(error, _)| error)
    }

    fn report(&self, error: &KafkaError) -> DeliveryReport {
        let code = error.rdkafka_error_code();
        let why = code.map_or_else(|| error.to_string(), |code| code.to_string());
        if code == Some(RDKafkaErrorCode::MessageSizeTooLarge) {
            return DeliveryReport::TooLarge(why);
        }
        let mut text = format!("cannot publish to the topic {:?}: {why}", self.topic);
        if let Some(trouble) = self.trouble.borrow().as_deref() {
            text = format!("{text}; last from a broker: {trouble}");
        }
        DeliveryReport::Failed(Error::new(ErrorKind::Unavailable, text))
    }
}
