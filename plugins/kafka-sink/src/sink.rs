//! The sink: one producer, and what it has delivered of a batch that is not done.

use std::collections::HashSet;

use regent_core::decision::{EncodedEvent, RefusedEvents};
use regent_core::plugin::DecisionSink;
use regent_core::{Error, Host};

use crate::config::Config;
use crate::producer::{DeliveryReport, Producer};

/// Publishes decisions to a topic.
pub(crate) struct KafkaSink {
    config: Config,
    producer: Option<Producer>,
    /// Ids of those events of the last batch that are acknowledged, if others are not: Kafka itself would take them twice.
    delivered: HashSet<String>,
}

impl DecisionSink for KafkaSink {
    const NAME: &'static str = "kafka_sink";
    type Config = Config;

    fn build(config: Config, _host: Host) -> Result<Self, Error> {
        Ok(Self { config, producer: None, delivered: HashSet::new() })
    }

    async fn write(&mut self, events: &[EncodedEvent]) -> Result<(), Error> {
        let producer = match self.producer.take() {
            Some(producer) => producer,
            None => Producer::start(&self.config)?,
        };
        let before = std::mem::take(&mut self.delivered);
        let (done, open): (Vec<_>, Vec<_>) = events.iter().partition(|event| before.contains(event.decision_id()));
        let mut delivered: HashSet<String> = done.iter().map(|event| event.decision_id().to_owned()).collect();
        let refused = match publish(&producer, &open, &mut delivered).await {
            Ok(refused) => refused,
            Err(error) => {
                // Another one begins without what this one has come to believe of brokers and topic.
                producer.end().await;
                self.delivered = delivered;
                return Err(error);
            }
        };
        self.producer = Some(producer);
        RefusedEvents::check("Kafka", refused)
    }

    async fn close(self) -> Result<(), Error> {
        if let Some(producer) = self.producer {
            producer.end().await;
        }
        Ok(())
    }
}

/// Publishes events, and says why those that are never taken are not.
async fn publish(
    producer: &Producer,
    events: &[&EncodedEvent],
    delivered: &mut HashSet<String>,
) -> Result<Vec<String>, Error> {
    let (mut large, mut failed, mut refused) = (Vec::new(), None, Vec::new());
    let reports = producer.publish(events.iter().copied()).await;
    for (event, report) in events.iter().zip(reports) {
        match report {
            DeliveryReport::Delivered => drop(delivered.insert(event.decision_id().to_owned())),
            DeliveryReport::TooLarge(_) => large.push(*event),
            DeliveryReport::Failed(error) => failed = failed.or(Some(error)),
        }
    }
    // A broker refuses all that came with an event that is too large for it.
    for event in large {
        let report = producer.publish(std::iter::once(event)).await.pop();
        match report.expect("one event has one report") {
            DeliveryReport::Delivered => drop(delivered.insert(event.decision_id().to_owned())),
            DeliveryReport::TooLarge(why) => refused.push(why),
            DeliveryReport::Failed(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(refused), Err)
}
