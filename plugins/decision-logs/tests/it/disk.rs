//! Events that wait on disk, and answers that wait for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use regent_core::status::State;
use regent_kit::{ControlPlane, Fault, wait};
use tempfile::TempDir;

use crate::support::{Agent, LIMIT, REFUSALS, taken, times_taken, whole};

/// A configuration with a disk buffer in a directory.
fn on_disk(directory: &TempDir, receivers: &str, reporting: &str) -> String {
    let directory = directory.path().display();
    format!(
        r#"{{{receivers}, "reporting": {{"buffer_type": "disk", "disk_directory": "{directory}", "trigger": "manual"
           {reporting}}}}}"#
    )
}

fn service(directory: &TempDir, reporting: &str) -> String {
    on_disk(directory, r#""service": "acme""#, reporting)
}

fn ids(acme: &ControlPlane) -> Vec<String> {
    acme.events().iter().map(|event| event["decision_id"].as_str().expect("text").to_owned()).collect()
}

/// All files with records below a directory.
fn segments(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(segments(&path));
        } else if path.extension().is_some_and(|kind| kind == "log") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What is in files, one after the other.
fn content(directory: &Path) -> String {
    let bytes = segments(directory).iter().flat_map(|file| fs::read(file).expect("readable")).collect::<Vec<_>>();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn an_answer_waits_until_its_masked_event_is_on_disk_from_where_it_goes_out_after_a_restart() {
    let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
    let agent = Agent::start(&acme, &service(&directory, "")).await;
    agent.policy("package system.log\nmask contains \"/input/password\"").await;
    agent.decide_safely("d1").await.expect("a sound disk");
    let kept = content(directory.path());
    assert!(kept.contains("\"d1\"") && !kept.contains("secret"), "{kept}");
    agent.stop().await;
    assert!(acme.events().is_empty(), "a manual lane is not flushed");

    let agent = Agent::start(&acme, &service(&directory, "")).await;
    agent.decide_safely("d2").await.expect("a sound disk");
    acme.fail_next("/logs", Fault::Status(503));
    agent.upload().await.expect_err("the service refuses");
    agent.upload().await.expect("the service is there");
    assert_eq!(ids(&acme), ["d1", "d2"]);
    assert_eq!(acme.events()[0]["erased"], serde_json::json!(["/input/password"]));
    agent.stop().await;

    let agent = Agent::start(&acme, &service(&directory, "")).await;
    agent.upload().await.expect("the service is there");
    assert_eq!(ids(&acme).len(), 2, "what has arrived does not come again");
}

#[tokio::test]
async fn a_round_that_breaks_off_is_gone_on_with_after_a_restart() {
    let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
    let config = service(&directory, r#", "upload_size_limit_bytes": 1000"#);
    let agent = Agent::start(&acme, &config).await;
    let all: Vec<_> = (0..50).map(|n| format!("round-{n}")).collect();
    for id in &all {
        agent.decide_safely(id).await.expect("a sound disk");
    }
    acme.fail_next("/logs", Fault::Hang(Duration::ZERO));
    acme.fail_always("/logs", Some(Fault::Status(500)));
    agent.upload().await.expect_err("the second chunk is refused");
    let first = ids(&acme).len();
    assert!(first > 0 && first < 50, "{first}");
    agent.stop().await;
    acme.fail_always("/logs", None);
    let agent = Agent::start(&acme, &config).await;
    agent.upload().await.expect("the service is there");
    assert_eq!(ids(&acme), all, "every event once");
    agent.stop().await;
}

#[tokio::test]
async fn many_answers_wait_together_and_chunks_are_as_small_as_they_have_to_be() {
    let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
    let agent = Agent::start(&acme, &service(&directory, r#", "upload_size_limit_bytes": 2000"#)).await;
    let all: Vec<_> = (0..1000).map(|n| format!("decision-{n}")).collect();
    let answers: Vec<_> = all.iter().map(|id| agent.decide_safely(id)).collect();
    for answer in answers {
        answer.await.expect("a sound disk");
    }
    agent.upload().await.expect("the service is there");
    assert_eq!(ids(&acme), all);
    assert!(acme.uploads().iter().all(|upload| upload.compressed_size <= 2000));
}

#[tokio::test]
async fn without_always_nobody_waits_and_a_stop_still_brings_all_to_the_disk() {
    for sync in [r#", "disk_sync": "interval", "disk_sync_interval_ms": 5"#, r#", "disk_sync": "never""#] {
        let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
        let agent = Agent::start(&acme, &service(&directory, sync)).await;
        let all: Vec<_> = (0..500).map(|n| format!("d{n}")).collect();
        agent.decide_all(&all);
        agent.stop().await;
        let agent = Agent::start(&acme, &service(&directory, sync)).await;
        agent.upload().await.expect("the service is there");
        assert_eq!(ids(&acme), all, "{sync}");
    }
}

#[tokio::test]
async fn every_lane_has_a_journal_of_its_own_and_one_that_is_stuck_holds_up_no_other() {
    let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
    let receivers = r#""service": "acme", "plugin": ["stuck", "recording"], "console": true"#;
    let agent = Agent::start(&acme, &on_disk(&directory, receivers, "")).await;
    agent.decide_safely("own-1").await.expect("a sound disk");
    taken("own-1").await;
    agent.upload().await.expect("the service is there");
    assert_eq!(ids(&acme), ["own-1"]);
    let waiting = async || {
        let waits = |sink| agent.counter(&format!("decision_logs_sink_waiting_events{{sink=\"{sink}\"}}"));
        let all = ["plugin/stuck", "plugin/recording", "service"].map(waits);
        (all == [1, 0, 0]).then_some(())
    };
    wait::until(LIMIT, "one event for the sink that is stuck", waiting).await.expect("the others have theirs");
    assert!(content(&directory.path().join("plugin-stuck")).contains("own-1"));
}

#[tokio::test]
async fn events_for_a_plugin_come_after_a_restart_too() {
    let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
    let config = on_disk(&directory, r#""plugin": "recording""#, "");
    let refusals = std::iter::repeat_n(("later-1".to_owned(), regent_core::ErrorKind::Unavailable), 2);
    REFUSALS.lock().expect("no one panics with it").extend(refusals);
    let agent = Agent::start(&acme, &config).await;
    agent.decide_safely("later-1").await.expect("a sound disk");
    taken("later-1").await;
    agent.stop().await;
    let agent = Agent::start(&acme, &config).await;
    agent.decide_safely("later-2").await.expect("a sound disk");
    taken("later-2").await;
    let took = times_taken("later-1");
    assert_eq!(took, 1, "what was delivered does not come again");
}

#[tokio::test]
async fn a_full_journal_refuses_decisions_if_it_shall_until_there_is_room() {
    let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
    let config = service(&directory, r#", "disk_size_limit_bytes": 65536, "disk_on_failure": "refuse""#);
    let agent = Agent::start(&acme, &config).await;
    let mut kept = 0;
    let error = loop {
        match agent.decide_safely(&format!("d{kept}")).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    let text = "the journal of decisions has reached its limit of 65536 bytes, and nothing takes them out";
    assert_eq!(error.chain(), text);
    assert_eq!(agent.counter("decision_logs_refused_disk"), 1);
    agent.upload().await.expect("the service is there");
    assert_eq!(ids(&acme).len(), kept, "all that were answered, and no other");
    agent.decide_safely("again").await.expect("there is room");
}

#[tokio::test]
async fn an_event_that_is_too_large_for_the_journal_is_refused_alone() {
    let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
    let config = service(&directory, r#", "disk_size_limit_bytes": 65536, "disk_on_failure": "refuse""#);
    let agent = Agent::start(&acme, &config).await;
    let answers: Vec<_> = (0..20)
        .map(|n| {
            let mut event = agent.event(&format!("d{n}"));
            if n == 10 {
                event.input = Some("x".repeat(70_000).into());
            }
            agent.host.record(Box::new(event)).expect("it never fails at once").expect("something to wait for")
        })
        .collect();
    for (n, answer) in answers.into_iter().enumerate() {
        match answer.await {
            Ok(()) => assert_ne!(n, 10),
            Err(error) => assert!(n == 10 && error.chain().contains("is larger than the journal"), "{n} {error}"),
        }
    }
    agent.upload().await.expect("the service is there");
    assert_eq!(ids(&acme).len(), 19);
}

#[tokio::test]
async fn a_full_journal_drops_the_oldest_else_and_says_how_many() {
    let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
    let agent = Agent::start(&acme, &service(&directory, r#", "disk_size_limit_bytes": 65536"#)).await;
    for n in 0..1000 {
        agent.decide_safely(&format!("d{n}")).await.expect("the loss is counted, not told");
    }
    agent.upload().await.expect("the service is there");
    let arrived = ids(&acme);
    let dropped = agent.counter("decision_logs_dropped_disk_full");
    assert_eq!(arrived.len() as u64 + dropped, 1000);
    assert_eq!(arrived.last().map(String::as_str), Some("d999"));
    let labelled = "decision_logs_sink_dropped{sink=\"service\",reason=\"disk_full\"}";
    assert_eq!(agent.counter(labelled), dropped);
    let status = agent.status(|status| status.sinks.is_some()).await;
    let sinks = status.sinks.expect("it fits");
    let field = |name| sinks.get("service").and_then(|sink| sink.get(name)).cloned();
    assert_eq!((field("dropped_events"), field("waiting_events")), (Some(dropped.into()), Some(0_u64.into())));
}

#[tokio::test]
async fn what_is_damaged_is_counted_and_all_else_arrives() {
    let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
    let agent = Agent::start(&acme, &service(&directory, "")).await;
    for n in 0..10 {
        agent.decide_safely(&format!("d{n}")).await.expect("a sound disk");
    }
    agent.stop().await;
    let segment = &segments(directory.path())[0];
    let mut bytes = fs::read(segment).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    fs::write(segment, bytes).expect("written");
    let agent = Agent::start(&acme, &service(&directory, "")).await;
    agent.upload().await.expect("the service is there");
    assert_eq!(ids(&acme).len(), 9);
    assert_eq!(agent.counter("decision_logs_dropped_disk_damaged"), 1);
}

#[tokio::test]
async fn a_journal_that_cannot_be_opened_is_an_error_until_it_can() {
    let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
    let first = Agent::start(&acme, &service(&directory, "")).await;
    first.decide_safely("first").await.expect("a sound disk");
    let config = on_disk(&directory, r#""service": "acme", "console": true"#, r#", "disk_on_failure": "refuse""#);
    let second = Agent::start(&acme, &config).await;
    let state = async |wanted| {
        let mut watch = second.host.status.watch();
        let seen = watch.wait_for(|report| report.plugins.get("decision_logs").is_some_and(|p| p.state == wanted));
        let seen = tokio::time::timeout(LIMIT, seen).await.expect("the state in time").expect("the board lives");
        seen.plugins["decision_logs"].message.clone()
    };
    let place = directory.path().join("service");
    let why = format!("{} is used by another process; give each agent a disk_directory of its own", place.display());
    assert_eq!(state(State::Error).await, Some(why.clone()));
    let error = second.decide_safely("second").await.expect_err("there is no journal").chain();
    assert_eq!(error, format!("the decision cannot be recorded: {why}"));
    assert_eq!(second.upload().await.expect_err("nothing to upload from").chain(), why);
    first.stop().await;
    // Decisions that are asked for all the time do not keep it from being opened.
    let answered = async {
        while second.decide_safely("third").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, answered).await.expect("a journal in time");
    assert_eq!(state(State::Ok).await, None);
    second.upload().await.expect("the service is there");
    assert_eq!(ids(&acme), ["first", "third"]);
}

#[tokio::test]
async fn events_survive_a_change_from_memory_to_disk_and_of_the_disk() {
    let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
    let periodic = r#"{"service": "acme", "reporting": {"min_delay_seconds": 60, "max_delay_seconds": 60}}"#;
    let mut agent = Agent::start(&acme, periodic).await;
    agent.status(|_| true).await;
    agent.decide("memory");
    agent.apply(&whole(&acme, &service(&directory, ""))).await;
    agent.decide_safely("disk").await.expect("a sound disk");
    agent.apply(&whole(&acme, &service(&directory, r#", "disk_sync": "never""#))).await;
    agent.decide("never");
    agent
        .apply(&whole(&acme, &service(&directory, r#", "upload_size_limit_bytes": 50000, "disk_sync": "never""#)))
        .await;
    agent.upload().await.expect("the service is there");
    assert_eq!(ids(&acme), ["memory", "disk", "never"]);
}

#[tokio::test]
async fn a_sink_that_is_stuck_does_not_keep_its_journal_from_another_configuration() {
    let (acme, directory) = (ControlPlane::start().await, tempfile::tempdir().expect("a directory"));
    let receivers = r#""service": "acme", "plugin": ["stuck", "recording"]"#;
    let mut agent = Agent::start(&acme, &on_disk(&directory, receivers, "")).await;
    agent.decide_safely("moved-1").await.expect("a sound disk");
    taken("moved-1").await;
    let smaller = on_disk(&directory, receivers, r#", "disk_size_limit_bytes": 100000, "disk_on_failure": "refuse""#);
    agent.apply(&whole(&acme, &smaller)).await;
    agent.decide_safely("moved-2").await.expect("all journals are open");
    taken("moved-2").await;
    assert!(content(&directory.path().join("plugin-stuck")).contains("moved-2"));
    agent.apply(&whole(&acme, &on_disk(&directory, r#""plugin": "recording""#, ""))).await;
    agent.decide_safely("moved-3").await.expect("the journal is open");
    taken("moved-3").await;
    let left = content(&directory.path().join("plugin-stuck"));
    assert!(left.contains("moved-1") && !left.contains("moved-3"), "it waits for its sink to come back");
}
