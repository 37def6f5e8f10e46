//! Sinks that would rather have many events at once.

use regent_kit::{ControlPlane, wait};
use tempfile::TempDir;

use crate::support::{Agent, BATCHES, LIMIT};

/// The batches whose events have ids that begin so.
fn batches(start: &str) -> Vec<Vec<String>> {
    let all = BATCHES.lock().expect("no one panics with it");
    all.iter().filter(|batch| batch[0].starts_with(start)).cloned().collect()
}

/// Waits until so many events wait for the sink.
async fn waiting(agent: &Agent, events: u64) {
    let gauge = "decision_logs_sink_waiting_events{sink=\"plugin/gatherer\"}";
    let shown = async || {
        let shown = agent.host.telemetry.render().contains(gauge).then(|| agent.counter(gauge));
        (shown == Some(events)).then_some(())
    };
    let waited = wait::until(LIMIT, "the events to wait", shown).await;
    waited.unwrap_or_else(|error| panic!("{events}: {error}\n{}", agent.host.telemetry.render()));
}

async fn offered(start: &str, expected: &[&[&str]]) {
    let same = async || (batches(start) == expected).then_some(());
    wait::until(LIMIT, "the batches", same).await.unwrap_or_else(|error| panic!("{error}: {:?}", batches(start)));
}

fn on_disk(directory: &TempDir) -> String {
    let directory = directory.path().display();
    format!(
        r#"{{"plugin": "gatherer",
             "reporting": {{"buffer_type": "disk", "disk_directory": "{directory}", "disk_sync": "never"}}}}"#
    )
}

#[tokio::test]
async fn in_memory_and_on_disk_events_wait_until_there_are_as_many_as_the_sink_would_like() {
    let acme = ControlPlane::start().await;
    let directory = tempfile::tempdir().expect("a directory");
    for (config, start) in [(r#"{"plugin": "gatherer"}"#.to_owned(), "memory-"), (on_disk(&directory), "disk-")] {
        let agent = Agent::start(&acme, &config).await;
        let ids: Vec<_> = (1..=7).map(|n| format!("{start}{n}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        agent.decide(ids[0]);
        waiting(&agent, 1).await;
        agent.decide(ids[1]);
        waiting(&agent, 2).await;
        agent.decide(ids[2]);
        offered(start, &[&ids[..3]]).await;
        agent.decide_all(&ids[3..]);
        offered(start, &[&ids[..3], &ids[3..6]]).await;
        waiting(&agent, 1).await;
        // At the end nothing is waited for.
        agent.stop().await;
        offered(start, &[&ids[..3], &ids[3..6], &ids[6..]]).await;
    }
}

#[tokio::test]
async fn events_wait_until_there_are_as_many_bytes_as_the_sink_would_like() {
    let acme = ControlPlane::start().await;
    let directory = tempfile::tempdir().expect("a directory");
    for (config, start) in [(r#"{"plugin": "gatherer"}"#.to_owned(), "bytes-m"), (on_disk(&directory), "bytes-d")] {
        let agent = Agent::start(&acme, &config).await;
        let (small, large) = (format!("{start}-small"), format!("{start}-large"));
        agent.decide(&small);
        waiting(&agent, 1).await;
        let mut event = agent.event(&large);
        event.input = Some("x".repeat(2000).into());
        agent.record(event);
        offered(start, &[&[&small, &large]]).await;
        agent.stop().await;
    }
}

#[tokio::test]
async fn more_than_fits_into_half_the_buffer_is_not_waited_for() {
    let acme = ControlPlane::start().await;
    let config = r#"{"plugin": "gatherer", "reporting": {"buffer_type": "event", "buffer_size_limit_events": 4}}"#;
    let agent = Agent::start(&acme, config).await;
    agent.decide("half-1");
    waiting(&agent, 1).await;
    agent.decide("half-2");
    offered("half", &[&["half-1", "half-2"]]).await;
    agent.stop().await;
}
