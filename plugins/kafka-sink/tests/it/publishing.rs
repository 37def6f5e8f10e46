//! Events on their way into the topic.

use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use regent_core::ErrorKind;
use regent_core::decision::RefusedEvents;

use crate::support::{Kafka, event_of, events, start};

/// One event for each request to a broker, in order.
const SINGLY: &str = "properties: {batch.num.messages: 1, max.in.flight.requests.per.connection: 1}";

#[tokio::test]
async fn events_are_in_the_topic_in_order_and_under_their_ids() {
    let kafka = Kafka::start();
    for more in ["", "compression: lz4", "compression: snappy", "acks: leader"] {
        let sink = start(&kafka, more).await;
        let before = kafka.content().await.len();
        let batch = events(100);
        let (first, second) = batch.split_at(60);
        sink.write(first).await.expect("the topic takes them");
        sink.write(second).await.expect("the topic takes them");
        let content = kafka.content().await.split_off(before);
        let expected = batch.iter().map(|event| (event.decision_id().to_owned(), event.json().to_vec()));
        assert!(content == expected.collect::<Vec<_>>(), "{more}");
        sink.stop().await;
    }
}

#[tokio::test]
async fn events_have_no_key_if_none_is_wanted() {
    let kafka = Kafka::start();
    start(&kafka, "key: none").await.write(&events(1)).await.expect("the topic takes it");
    assert_eq!(kafka.content().await[0].0, "");
}

#[tokio::test]
async fn what_passes_by_itself_is_not_noticed_and_doubles_nothing() {
    let kafka = Kafka::start();
    let sink = start(&kafka, "").await;
    let errors = [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    ];
    kafka.0.request_errors(RDKafkaApiKey::Produce, &errors);
    let batch = events(20);
    sink.write(&batch).await.expect("the topic takes them");
    kafka.has(&batch).await;
}

#[tokio::test]
async fn brokers_that_come_later_get_the_batch() {
    let kafka = Kafka::start();
    kafka.0.broker_down(-1).expect("there is one");
    let sink = start(&kafka, "delivery_timeout_seconds: 1").await;
    let batch = events(3);
    let why = sink.unavailable(&batch).await;
    assert!(why.starts_with("cannot publish to the topic \"decisions\": "), "{why}");
    assert!(why.contains("last from a broker: "), "{why}");
    sink.stop().await;
    kafka.0.broker_up(-1).expect("there is one");
    let sink = start(&kafka, "delivery_timeout_seconds: 60").await;
    sink.write(&batch).await.expect("the topic takes them");
    kafka.has(&batch).await;
}

#[tokio::test]
async fn events_that_are_acknowledged_are_not_published_again_with_the_rest_of_their_batch() {
    let kafka = Kafka::start();
    let sink = start(&kafka, &format!("acks: leader, {SINGLY}")).await;
    let mut batch = events(10);
    kafka.0.request_errors(RDKafkaApiKey::Produce, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_POLICY_VIOLATION]);
    let why = sink.unavailable(&batch).await;
    assert!(why.contains("Policy violation"), "{why}");
    assert_eq!(kafka.content().await.len(), 9);
    sink.write(&batch).await.expect("the topic takes what was left");
    batch.rotate_left(1);
    kafka.has(&batch).await;
    // What another batch brings is not mistaken for it.
    batch.extend(events(5));
    sink.write(&batch[10..]).await.expect("the topic takes them");
    kafka.has(&batch).await;
}

#[tokio::test]
async fn an_event_that_is_too_large_is_refused_alone() {
    let kafka = Kafka::start();
    let sink = start(&kafka, "properties: {message.max.bytes: 4096}").await;
    let mut batch = vec![event_of(16), event_of(8192), event_of(16)];
    let error = sink.write(&batch).await.expect_err("one of them is too large");
    assert_eq!((error.kind(), RefusedEvents::lost(&error, 3)), (ErrorKind::Refused, 1), "{}", error.chain());
    batch.remove(1);
    kafka.has(&batch).await;
}

#[tokio::test]
async fn a_broker_that_finds_a_batch_too_large_gets_its_events_one_by_one() {
    let kafka = Kafka::start();
    let sink = start(&kafka, "acks: leader, properties: {linger.ms: 500}").await;
    let mut batch = events(3);
    let too_large = RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    kafka.0.request_errors(RDKafkaApiKey::Produce, &[too_large, too_large]);
    let error = sink.write(&batch).await.expect_err("the first one alone is too large, too");
    assert_eq!((error.kind(), RefusedEvents::lost(&error, 3)), (ErrorKind::Refused, 1), "{}", error.chain());
    batch.remove(0);
    kafka.has(&batch).await;
}

#[tokio::test]
async fn a_topic_that_the_agent_may_not_write_to_has_the_batch_wait() {
    let kafka = Kafka::start();
    let sink = start(&kafka, "").await;
    let batch = events(2);
    kafka.0.request_errors(RDKafkaApiKey::Produce, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED]);
    let why = sink.unavailable(&batch).await;
    assert!(why.starts_with("cannot publish to the topic \"decisions\": ") && why.contains("authorization"), "{why}");
    sink.write(&batch).await.expect("the first try with the right succeeds");
    kafka.has(&batch).await;
}

#[tokio::test]
async fn a_producer_that_a_broker_has_fenced_off_is_replaced() {
    let kafka = Kafka::start();
    let sink = start(&kafka, "").await;
    let batch = events(2);
    sink.write(&batch[..1]).await.expect("the topic takes it");
    let fenced = RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
    kafka.0.request_errors(RDKafkaApiKey::Produce, &[fenced]);
    sink.unavailable(&batch[1..]).await;
    sink.write(&batch[1..]).await.expect("the topic takes it");
    kafka.has(&batch).await;
}
