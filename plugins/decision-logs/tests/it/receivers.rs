//! Receivers other than a service, alone and together.

use std::time::Duration;

use regent_core::ErrorKind;
use regent_core::status::DecisionLogsStatus;
use regent_kit::{ControlPlane, Fault, wait};
use serde_json::{Value as Json, json};

use crate::support::{Agent, LIMIT, REFUSALS, lines, taken, whole};

/// The console's line about an event.
async fn line(id: &str) -> Json {
    let look = async || {
        let lines = lines().lock().expect("no one panics with it");
        let shown = lines.iter().filter(|(message, _)| message == "Decision Log");
        let mut shown = shown.filter_map(|(_, json)| serde_json::from_str::<Json>(json.as_ref()?).ok());
        shown.find(|line| line["decision_id"] == id)
    };
    wait::until(LIMIT, "the line", look).await.expect("it comes")
}

#[tokio::test]
async fn the_console_shows_each_event_as_one_line_and_uploads_nothing() {
    lines();
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, r#"{"console": true}"#).await;
    agent.policy("package system.log\nmask contains \"/input/password\"").await;
    agent.decide("console-1");
    let line = line("console-1").await;
    assert_eq!(line["type"], "openpolicyagent.org/decision_logs");
    assert_eq!(line["input"], json!({"user": "bob", "list": [1, {"k": "v"}, 3]}));
    assert_eq!(line["erased"], json!(["/input/password"]));
    agent.upload().await.expect("there is no service to fail");
    agent.stop().await;
    assert!(acme.requests().is_empty());
}

#[tokio::test]
async fn stopping_empties_the_console_too() {
    lines();
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, r#"{"console": true}"#).await;
    agent.decide_all((0..500).map(|n| format!("last-{n}")));
    agent.stop().await;
    line("last-499").await;
}

#[tokio::test]
async fn a_plugin_takes_events_if_it_is_named() {
    let acme = ControlPlane::start().await;
    let agent = Agent::start(&acme, r#"{"plugin": "recording"}"#).await;
    agent.decide("plugin-1");
    taken("plugin-1").await;
    agent.stop().await;
    assert!(acme.requests().is_empty());
}

#[tokio::test]
async fn a_plugin_that_is_not_available_is_offered_the_same_events_again() {
    let acme = ControlPlane::start().await;
    let refusal = || ("plugin-2".to_owned(), ErrorKind::Unavailable);
    REFUSALS.lock().expect("no one panics with it").extend([refusal(), refusal()]);
    let agent = Agent::start(&acme, r#"{"plugin": "recording"}"#).await;
    agent.decide("plugin-2");
    taken("plugin-2").await;
}

#[tokio::test]
async fn events_that_a_plugin_refuses_are_counted() {
    let acme = ControlPlane::start().await;
    REFUSALS.lock().expect("no one panics with it").push_back(("plugin-3".to_owned(), ErrorKind::Refused));
    let agent = Agent::start(&acme, r#"{"plugin": "recording"}"#).await;
    agent.decide("plugin-3");
    let counted = async || (agent.counter("decision_logs_dropped_plugin_refused") == 1).then_some(());
    wait::until(LIMIT, "the refusal", counted).await.expect("it is counted");
    let told = agent.status(|status| status.sinks.is_some()).await.sinks.expect("it fits");
    assert_eq!(told.get("plugin/recording").and_then(|sink| sink.get("dropped_events")), Some(&1_u64.into()));
    agent.decide("plugin-4");
    taken("plugin-4").await;
}

#[tokio::test]
async fn of_a_batch_only_the_events_that_a_plugin_refuses_are_counted() {
    let directory = tempfile::tempdir().expect("a directory");
    let on_disk = format!(
        r#"{{"plugin": "recording", "reporting": {{"buffer_type": "disk", "disk_sync": "never", "disk_directory": "{}"}}}}"#,
        directory.path().display()
    );
    for (place, config) in [("memory", r#"{"plugin": "recording"}"#), ("disk", &on_disk)] {
        let acme = ControlPlane::start().await;
        let name = |id: &str| format!("{place}-{id}");
        REFUSALS.lock().expect("no one panics with it").push_back((name("bad-1"), ErrorKind::Unavailable));
        let agent = Agent::start(&acme, config).await;
        let refused = async |count: u64| {
            let counted = async || (agent.counter("decision_logs_dropped_plugin_refused") == count).then_some(());
            wait::until(LIMIT, "the refusals", counted).await.expect("they are counted, and nothing else");
        };
        agent.decide(&name("bad-1"));
        refused(1).await;
        let sink = |status: &DecisionLogsStatus| status.sinks.as_ref()?.get("plugin/recording").cloned();
        let status = agent.status(|status| sink(status).is_some_and(|sink| sink.get("message").is_none())).await;
        assert_eq!(sink(&status).expect("it fits").get("dropped_events"), Some(&1_u64.into()));
        agent.decide_all(["1", "bad-2", "2", "bad-3", "3"].map(name));
        for id in ["1", "2", "3"] {
            taken(&name(id)).await;
        }
        refused(3).await;
    }
}

#[tokio::test]
async fn all_receivers_work_at_once_and_one_that_fails_holds_up_no_other() {
    lines();
    let acme = ControlPlane::start().await;
    acme.fail_always("/logs", Some(Fault::Reset));
    let config = r#"{"console": true, "plugin": "recording", "service": "acme",
                     "reporting": {"min_delay_seconds": 0, "max_delay_seconds": 0}}"#;
    let agent = Agent::start(&acme, config).await;
    agent.decide("all-1");
    line("all-1").await;
    taken("all-1").await;
    agent.status(|status| status.code.is_some()).await;
    acme.fail_always("/logs", None);
    acme.wait_for_events(1, LIMIT).await.expect("the service is back");
}

#[tokio::test]
async fn a_plugin_that_is_stuck_loses_its_oldest_events_and_ends_nobody_else() {
    let acme = ControlPlane::start().await;
    let config = r#"{"plugin": "stuck", "service": "acme", "reporting": {"trigger": "manual"}}"#;
    let agent = Agent::start(&acme, config).await;
    for half in ["a", "b"] {
        agent.decide_all((0..6000).map(|n| format!("{half}{n}")));
        agent.upload().await.expect("the service is there");
    }
    assert_eq!(acme.events().len(), 12_000);
    let lost = "decision_logs_dropped_plugin_buffer_exceeded";
    let counted = async || (agent.counter(lost) >= 12_000 - 10_000 - 256).then_some(());
    wait::until(LIMIT, "the loss", counted).await.expect("it is counted");
    let host = agent.host.clone();
    agent.stop_within(Duration::from_millis(500)).await.expect_err("the sink itself never ends");
    assert!(host.telemetry.render().contains("\ndecision_logs_dropped_at_stop "));
}

#[tokio::test]
async fn several_plugins_take_events_each_at_its_own_pace() {
    let acme = ControlPlane::start().await;
    let config = r#"{"plugin": ["stuck", "recording"], "service": "acme", "reporting": {"trigger": "manual"}}"#;
    let mut agent = Agent::start(&acme, config).await;
    let early: Vec<_> = (0..6000).map(|n| format!("pace-{n}")).collect();
    let late: Vec<_> = (6000..12_000).map(|n| format!("pace-{n}")).collect();
    for half in [&early, &late] {
        agent.decide_all(half);
        agent.upload().await.expect("the service is there");
    }
    taken("pace-11999").await;
    let dropped = "decision_logs_sink_dropped{sink=\"plugin/stuck\",reason=\"buffer_full\"}";
    let lost = async || agent.host.telemetry.render().contains(dropped).then(|| agent.counter(dropped));
    wait::until(LIMIT, "the loss", async || lost().await.filter(|lost| *lost >= 12_000 - 10_000 - 256))
        .await
        .expect("counted");
    let status = agent.status(|status| status.sinks.is_some()).await;
    let sinks = status.sinks.expect("it fits");
    assert!(sinks.get("plugin/stuck").is_some() && sinks.get("plugin/recording").is_none(), "{sinks}");
    // The one that is stuck goes, the other one stays with what it has.
    agent.apply(&whole(&acme, r#"{"plugin": ["recording"]}"#)).await;
    agent.decide("pace-last");
    taken("pace-last").await;
}

#[tokio::test]
async fn a_sink_that_is_not_available_is_shown_in_status_until_it_is() {
    let acme = ControlPlane::start().await;
    let refusals = std::iter::repeat_n(("trouble-1".to_owned(), ErrorKind::Unavailable), 3);
    REFUSALS.lock().expect("no one panics with it").extend(refusals);
    let agent = Agent::start(&acme, r#"{"plugin": "recording"}"#).await;
    agent.decide("trouble-1");
    let told = agent.status(|status| status.sinks.is_some()).await.sinks.expect("it fits");
    assert_eq!(told.get("plugin/recording").and_then(|sink| sink.get("message")), Some(&"not now".into()));
    taken("trouble-1").await;
    agent.status(|status| status.sinks.is_none()).await;
}

#[tokio::test]
async fn what_waits_for_a_plugin_is_bounded_in_bytes_too() {
    let acme = ControlPlane::start().await;
    let config = r#"{"plugin": "stuck", "service": "acme",
                     "reporting": {"trigger": "manual", "buffer_size_limit_bytes": 100000}}"#;
    let agent = Agent::start(&acme, config).await;
    for n in 0..600 {
        let mut event = agent.event(&format!("bytes-{n}"));
        event.input = Some("x".repeat(2000).into());
        agent.record(event);
    }
    agent.upload().await.expect("the service is there");
    let dropped = async || {
        let rendered = agent.host.telemetry.render();
        rendered
            .contains("decision_logs_dropped_plugin_buffer_exceeded")
            .then(|| agent.counter("decision_logs_dropped_plugin_buffer_exceeded"))
            .filter(|lost| *lost >= 600 - 256 - 50)
    };
    wait::until(LIMIT, "the loss", dropped).await.expect("counted");
}
