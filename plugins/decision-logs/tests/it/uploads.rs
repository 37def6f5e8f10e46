//! Chunks on their way to the service.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use regent_core::Value;
use regent_kit::{ControlPlane, Fault, wait};

use crate::support::{Agent, LIMIT, whole};

fn manual(reporting: &str) -> String {
    format!(r#"{{"service": "acme", "reporting": {{"trigger": "manual" {reporting}}}}}"#)
}

fn ids(acme: &ControlPlane) -> Vec<String> {
    acme.events().iter().map(|event| event["decision_id"].as_str().expect("text").to_owned()).collect()
}

/// Text that does not compress well.
fn noise(bytes: usize) -> Value {
    let mut state = 88_172_645_463_325_252_u64;
    let mut text = String::new();
    while text.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        write!(text, "{state:016x}").expect("text takes every write");
    }
    text.into()
}

#[tokio::test]
async fn uploads_are_gzipped_arrays_at_the_configured_path() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, r#"{"partition_name": "eu", "reporting": {"trigger": "manual"}}"#).await;
    agent.decide("d1");
    agent.upload().await.expect("the service is there");
    let upload = &acme.uploads()[0];
    assert_eq!(upload.path, "/logs/eu");
    assert_eq!(upload.headers["content-encoding"], "gzip");
    assert_eq!(upload.headers["content-type"], "application/json");
}

#[tokio::test]
async fn no_chunk_is_larger_than_the_limit_and_nothing_is_lost_or_out_of_order() {
    for kind in ["size", "event"] {
        let acme = ControlPlane::start().await;
        let config = manual(&format!(r#", "upload_size_limit_bytes": 700, "buffer_type": "{kind}""#));
        let agent = Agent::start(&acme, &config).await;
        let expected: Vec<_> = (0..200).map(|n| format!("decision-{n}")).collect();
        agent.decide_all(&expected);
        agent.upload().await.expect("the service is there");
        assert_eq!(ids(&acme), expected);
        let uploads = acme.uploads();
        assert!(uploads.iter().all(|upload| upload.compressed_size <= 700), "{kind}");
        assert!(uploads.len() < 100, "the guess grows: {} uploads, {kind}", uploads.len());
    }
}

#[tokio::test]
async fn an_event_that_is_too_large_loses_its_cache_and_then_itself() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, &manual(r#", "upload_size_limit_bytes": 1000"#)).await;
    let mut with_cache = agent.event("cache");
    with_cache.nd_builtin_cache = Some(noise(4000));
    let mut large = agent.event("large");
    large.input = Some(noise(4000));
    let mut both = agent.event("both");
    both.input = Some(noise(4000));
    both.nd_builtin_cache = Some(noise(4000));
    for event in [with_cache, large, both, agent.event("small")] {
        agent.record(event);
    }
    agent.upload().await.expect("the service is there");
    assert_eq!(ids(&acme), ["cache", "small"]);
    assert_eq!(acme.events()[0].get("nd_builtin_cache"), None);
    let metrics = agent.status(|status| status.metrics.is_some()).await.metrics.expect("it fits");
    assert_eq!(metrics.get("counter_decision_logs_nd_builtin_cache_dropped"), Some(&1.into()));
    assert_eq!(metrics.get("counter_decision_logs_encoding_failure"), Some(&2.into()));
    assert_eq!(metrics.get("counter_enc_log_exceeded_upload_size_limit_bytes"), Some(&3.into()));
}

#[tokio::test]
async fn a_refused_chunk_is_sent_again_as_it_was() {
    let acme = ControlPlane::start().await;
    let delays = r#"{"service": "acme", "reporting": {"min_delay_seconds": 0, "max_delay_seconds": 1}}"#;
    acme.fail_always("/logs", Some(Fault::Status(413)));
    let agent = Agent::start(&acme, delays).await;
    agent.decide("d1");
    let status = agent.status(|status| status.http_code == Some(413)).await;
    assert_eq!(status.code, Some("decision_log_error"));
    let text = "log upload failed, server replied with HTTP 413 Payload Too Large";
    assert_eq!(status.message.as_deref(), Some(text));
    acme.fail_always("/logs", Some(Fault::Reset));
    let status = agent.status(|status| status.code.is_some() && status.http_code.is_none()).await;
    assert!(status.message.expect("a message").starts_with("log upload failed: "));
    agent.decide("d2");
    acme.fail_always("/logs", None);
    acme.wait_for_events(2, LIMIT).await.expect("both events");
    agent.status(|status| *status == regent_core::status::DecisionLogsStatus::default()).await;
    let sent = acme.wait_for_requests("/logs", 3, LIMIT).await.expect("two failures and a success");
    let first_upload = acme.uploads()[0].events.len();
    assert_eq!((sent[0].body == sent[1].body, first_upload), (true, 1));
    assert_eq!(ids(&acme), ["d1", "d2"]);
}

#[tokio::test]
async fn a_call_to_upload_returns_why_it_failed() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, &manual("")).await;
    agent.upload().await.expect("nothing to upload is fine");
    acme.fail_next("/logs", Fault::Status(500));
    agent.decide("d1");
    let error = agent.upload().await.expect_err("the service refuses");
    assert_eq!(error.chain(), "log upload failed, server replied with HTTP 500 Internal Server Error");
    agent.upload().await.expect("the service is back");
    assert_eq!(ids(&acme), ["d1"]);
}

#[tokio::test]
async fn whatever_goes_wrong_with_the_service_the_events_arrive_in_the_end() {
    for kind in ["size", "event", "disk"] {
        let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
        let place = match kind {
            "disk" => format!(r#", "disk_sync": "never", "disk_directory": "{}""#, directory.path().display()),
            _ => String::new(),
        };
        let config = format!(
            r#"{{"service": "acme", "reporting": {{"min_delay_seconds": 0, "max_delay_seconds": 0, "buffer_type": "{kind}"
               {place}}}}}"#
        );
        let agent = Agent::start(&acme, &config).await;
        let faults = [
            Fault::Status(500),
            Fault::Status(429),
            Fault::Status(503),
            Fault::Reset,
            Fault::HalfClose,
            Fault::Hang(Duration::from_millis(200)),
            // The answer's end is missing, so the events may come twice.
            Fault::Truncate(1),
            Fault::Status(404),
        ];
        let mut expected = Vec::new();
        for (at, fault) in faults.into_iter().enumerate() {
            acme.fail_next("/logs", fault);
            expected.push(format!("fault-{at}"));
            agent.decide(&expected[at]);
            let arrived = async || ids(&acme).contains(&expected[at]).then_some(());
            wait::until(LIMIT, "the event", arrived).await.expect("it arrives");
        }
        agent.stop().await;
        let mut arrived = ids(&acme);
        arrived.dedup();
        assert_eq!(arrived, expected, "{kind}");
    }
}

#[tokio::test]
async fn any_2xx_accepts_an_upload() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, &manual("")).await;
    acme.fail_next("/logs", Fault::Status(204));
    agent.decide("d1");
    agent.upload().await.expect("accepted");
    agent.upload().await.expect("nothing left");
    assert_eq!(acme.wait_for_requests("/logs", 1, LIMIT).await.expect("one").len(), 1);
}

#[tokio::test]
async fn a_full_event_buffer_drops_the_oldest() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, &manual(r#", "buffer_type": "event", "buffer_size_limit_events": 2"#)).await;
    agent.decide_all(["d1", "d2", "d3", "d4"]);
    agent.upload().await.expect("the service is there");
    assert_eq!(ids(&acme), ["d3", "d4"]);
    assert_eq!(agent.counter("decision_logs_dropped_buffer_size_limit_exceeded"), 2);
}

#[tokio::test]
async fn a_full_size_buffer_drops_the_oldest_chunks() {
    let acme = ControlPlane::start().await;
    let limits = r#", "upload_size_limit_bytes": 400, "buffer_size_limit_bytes": 1000"#;
    let agent = Agent::start(&acme, &manual(limits)).await;
    agent.decide_all((0..50).map(|n| format!("d{n}")));
    agent.upload().await.expect("the service is there");
    let arrived = ids(&acme);
    let dropped = agent.counter("decision_logs_dropped_buffer_size_limit_bytes_exceeded");
    assert_eq!(arrived.len() as u64 + dropped, 50);
    assert!(dropped > 0 && arrived.last().is_some_and(|id| id == "d49"));
    assert!(acme.uploads().iter().map(|upload| upload.compressed_size).sum::<usize>() <= 1000);
}

#[tokio::test]
async fn events_over_the_rate_limit_are_dropped() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, &manual(r#", "max_decisions_per_second": 0.001"#)).await;
    agent.decide_all(["d1", "d2", "d3"]);
    agent.upload().await.expect("the service is there");
    assert_eq!(ids(&acme), ["d1"]);
    assert_eq!(agent.counter("decision_logs_dropped_rate_limit_exceeded"), 2);
}

#[tokio::test]
async fn an_immediate_upload_goes_when_a_chunk_is_full() {
    let acme = ControlPlane::start().await;
    let config = r#"{"service": "acme", "reporting": {"trigger": "immediate", "upload_size_limit_bytes": 500}}"#;
    let agent = Agent::start(&acme, config).await;
    agent.status(|_| true).await;
    agent.decide_all((0..50).map(|n| format!("d{n}")));
    acme.wait_for_events(10, LIMIT).await.expect("full chunks go at once");
}

#[tokio::test]
async fn a_periodic_upload_goes_by_the_clock_and_reports_even_an_empty_buffer() {
    let acme = ControlPlane::start().await;
    let config = r#"{"service": "acme", "reporting": {"min_delay_seconds": 0, "max_delay_seconds": 0}}"#;
    let agent = Agent::start(&acme, config).await;
    agent.status(|_| true).await;
    assert!(acme.requests().is_empty());
    agent.decide("d1");
    acme.wait_for_events(1, LIMIT).await.expect("it goes by itself");
    agent.stop().await;
}

#[tokio::test]
async fn stopping_flushes_what_is_left_even_if_the_service_fails_at_first() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, r#"{"service": "acme"}"#).await;
    agent.status(|_| true).await;
    acme.fail_next("/logs", Fault::Status(500));
    agent.decide_all(["d1", "d2"]);
    agent.stop().await;
    assert_eq!(ids(&acme), ["d1", "d2"]);
}

#[tokio::test]
async fn stopping_ends_in_time_if_the_service_does_not_answer() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, r#"{"service": "acme"}"#).await;
    agent.status(|_| true).await;
    acme.fail_always("/logs", Some(Fault::Hang(Duration::from_mins(1))));
    agent.decide("d1");
    let host = agent.host.clone();
    agent.stop_within(Duration::from_millis(500)).await.expect("in time");
    assert!(host.telemetry.render().contains("\ndecision_logs_dropped_at_stop 1\n"));
}

#[tokio::test]
async fn a_new_configuration_keeps_buffered_events() {
    let acme = ControlPlane::start().await;
    let mut agent = Agent::start(&acme, &manual("")).await;
    agent.decide("d1");
    agent.apply(&whole(&acme, &manual(r#", "buffer_type": "event""#))).await;
    agent.decide("d2");
    agent.apply(&whole(&acme, &manual(r#", "upload_size_limit_bytes": 5000"#))).await;
    agent.decide("d3");
    agent.upload().await.expect("the service is there");
    assert_eq!(ids(&acme), ["d1", "d2", "d3"]);
    assert_eq!(acme.events()[0]["input"]["user"], "bob");
}

#[tokio::test]
async fn events_that_wait_for_the_service_hold_on_to_no_state() {
    for kind in ["size", "event"] {
        let acme = ControlPlane::start().await;
        acme.fail_always("/logs", Some(Fault::Status(500)));
        let agent = Agent::start(&acme, &manual(&format!(r#", "buffer_type": "{kind}""#))).await;
        let event = agent.event("d1");
        let state = Arc::downgrade(event.snapshot.as_ref().expect("a fresh event"));
        agent.record(event);
        agent.policy("package p\nallow := true").await;
        agent.upload().await.expect_err("the service fails");
        // States that were replaced end on a thread of their own.
        let ends = async {
            while state.upgrade().is_some() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), ends).await.unwrap_or_else(|_| panic!("{kind} keeps its state"));
        acme.fail_always("/logs", None);
        agent.upload().await.expect("the service is back");
        assert_eq!(ids(&acme), ["d1"], "{kind}");
    }
}

#[tokio::test]
async fn a_request_does_not_wait_when_the_queue_is_full() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, &manual("")).await;
    // This test runs on one thread, so nothing leaves the queue meanwhile.
    agent.decide_all((0..10_005).map(|n| format!("d{n}")));
    assert_eq!(agent.counter("decision_logs_dropped_buffer_size_limit_exceeded"), 5);
    agent.upload().await.expect("the service is there");
    assert_eq!(acme.events().len(), 10_000);
}
