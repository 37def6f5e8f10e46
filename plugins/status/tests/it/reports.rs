//! What is reported, when, and to whom.

use std::time::Duration;

use regent_core::Value;
use regent_core::status::{BundleStatus, Cause, DecisionLogsStatus, Moment, State};
use regent_kit::{ControlPlane, Fault, wait};
use serde_json::{Value as Json, json};

use crate::support::{LIMIT, TAKEN, lines, start, whole};

fn bundle(revision: &str) -> BundleStatus {
    BundleStatus {
        name: "authz".to_owned(),
        active_revision: Some(revision.to_owned()),
        last_successful_activation: Moment(Some("2026-01-02T03:04:05.6Z".parse().expect("a time"))),
        kind: Some("snapshot"),
        size: Some(99),
        ..BundleStatus::default()
    }
}

fn without_metrics(mut report: Json) -> Json {
    report.as_object_mut().expect("an object").remove("metrics");
    report
}

#[tokio::test]
async fn a_report_has_the_fields_that_opa_gives_it() {
    let acme = ControlPlane::start().await;
    let agent = start(&acme, "{}").await;
    agent.ready("status").await;
    agent.host.status.set_plugin("bundle", State::NotReady, Some("waits".to_owned()));
    agent.host.status.change(Cause::DecisionLogs, |report| {
        let metrics = Value::object([("counter_decision_logs_dropped_rate_limit_exceeded", 3_i64)]);
        report.decision_logs = Some(DecisionLogsStatus { metrics: Some(metrics), ..DecisionLogsStatus::default() });
    });
    agent.host.status.set_bundle(bundle("r1"));
    let fits = |report: &Json| report["bundles"]["authz"]["active_revision"] == "r1";
    let report = acme.wait_for_status(LIMIT, fits).await.expect("it is reported");
    let counter = &report["metrics"]["prometheus"]["counter_decision_logs_dropped_rate_limit_exceeded"];
    assert_eq!(*counter, json!(3));
    let never = "0001-01-01T00:00:00Z";
    assert_eq!(
        without_metrics(report),
        json!({
            "labels": {"app": "demo", "id": "agent-1", "version": "1.9.0"},
            "bundles": {"authz": {
                "name": "authz", "active_revision": "r1", "type": "snapshot", "size": 99,
                "last_successful_activation": "2026-01-02T03:04:05.6Z", "last_successful_download": never,
                "last_successful_request": never, "last_request": never,
            }},
            "decision_logs": {},
            "plugins": {
                "bundle": {"state": "NOT_READY", "message": "waits"},
                "discovery": {"state": "OK"},
                "recording": {"state": "NOT_READY"},
                "status": {"state": "OK"},
            },
        })
    );
    let sent = acme.wait_for_requests("/status", 1, LIMIT).await.expect("a request");
    assert_eq!(sent[0].header("content-type"), Some("application/json"));
    assert_eq!(sent[0].header("content-encoding"), None);
}

#[tokio::test]
async fn the_deprecated_bundle_has_a_field_of_its_own() {
    let acme = ControlPlane::start().await;
    let agent = start(&acme, "{}").await;
    agent.host.status.set_bundle(bundle("r1"));
    agent.host.status.change(Cause::Bundle, |report| report.legacy_bundle = Some("authz".to_owned()));
    let fits = |report: &Json| report["bundle"]["active_revision"] == "r1";
    let report = acme.wait_for_status(LIMIT, fits).await.expect("it is reported");
    assert_eq!(report.get("bundles"), None);
}

#[tokio::test]
async fn every_poll_is_reported_even_if_nothing_changed() {
    let acme = ControlPlane::start().await;
    let agent = start(&acme, r#"{"partition_name": "eu"}"#).await;
    agent.ready("status").await;
    for polls in 1..=3 {
        agent.host.status.set_bundle(bundle("r1"));
        acme.wait_for_requests("/status/eu", polls + 1, LIMIT).await.expect("a report for each");
    }
}

#[tokio::test]
async fn metrics_are_shown_in_their_json_form() {
    let acme = ControlPlane::start().await;
    let agent = start(&acme, "{}").await;
    agent.host.telemetry.counter("hits", &[("code", "200".to_owned())]).increment(2);
    agent.host.telemetry.histogram("http_request_duration_seconds", &[]).record(0.5);
    agent.host.status.set_bundle(bundle("r1"));
    let fits = |report: &Json| report["metrics"]["prometheus"]["hits"]["type"] == "COUNTER";
    let report = acme.wait_for_status(LIMIT, fits).await.expect("it is reported");
    let metrics = &report["metrics"]["prometheus"];
    let hits = json!([{"label": [{"name": "code", "value": "200"}], "counter": {"value": 2}}]);
    assert_eq!(metrics["hits"]["metric"], hits);
    let duration = &metrics["http_request_duration_seconds"];
    assert_eq!(duration["type"], "HISTOGRAM");
    let bucket = json!([{"cumulativeCount": "1", "upperBound": 1}]);
    assert_eq!(duration["metric"][0]["histogram"]["bucket"], bucket);
    assert_eq!(duration["metric"][0]["histogram"]["sampleCount"], "1");
}

#[tokio::test]
async fn reports_that_a_newer_one_took_the_place_of_are_not_sent_but_counted() {
    let acme = ControlPlane::start().await;
    let agent = start(&acme, r#"{"trigger": "manual"}"#).await;
    agent.ready("status").await;
    acme.fail_next("/status", Fault::Hang(Duration::from_millis(200)));
    let calls = (agent.trigger("status"), agent.trigger("status"), agent.trigger("status"), agent.trigger("status"));
    let (first, second, third, fourth) = tokio::join!(calls.0, calls.1, calls.2, calls.3);
    for result in [first, second, third, fourth] {
        result.expect("all are answered");
    }
    assert_eq!(acme.statuses().len(), 2, "the one on its way, and the newest");
    let counter = &acme.statuses()[1]["metrics"]["prometheus"]["counter_status_dropped_buffer_limit_exceeded"];
    assert_eq!(*counter, json!(2));
}

#[tokio::test]
async fn a_failure_is_told_and_the_next_event_carries_the_newest_state() {
    let acme = ControlPlane::start().await;
    let agent = start(&acme, r#"{"trigger": "manual"}"#).await;
    acme.fail_next("/status", Fault::Status(503));
    acme.fail_next("/status", Fault::Reset);
    let refused = agent.trigger("status").await.expect_err("refused").chain();
    assert_eq!(refused, "status update failed, server replied with HTTP 503 Service Unavailable");
    let broken = agent.trigger("status").await.expect_err("broken").chain();
    assert!(broken.starts_with("status update failed: "), "{broken}");
    agent.host.status.set_bundle(bundle("r2"));
    agent.trigger("status").await.expect("the service is back");
    assert_eq!(acme.statuses().len(), 1);
    assert_eq!(acme.statuses()[0]["bundles"]["authz"]["active_revision"], "r2");
}

#[tokio::test]
async fn a_manual_trigger_sends_nothing_by_itself() {
    let acme = ControlPlane::start().await;
    let agent = start(&acme, r#"{"trigger": "manual"}"#).await;
    agent.host.status.set_bundle(bundle("r1"));
    let shown = async || agent.host.status.published().filter(|body| body.get("bundles").is_some());
    wait::until(LIMIT, "the report for the API", shown).await.expect("it is published");
    agent.stop().await;
    assert!(acme.requests().is_empty());
}

#[tokio::test]
async fn the_console_shows_each_report_as_one_line() {
    lines();
    let acme = ControlPlane::start().await;
    let agent = start(&acme, r#"{"console": true}"#).await;
    agent.host.status.set_bundle(bundle("console-1"));
    let look = async || {
        let lines = lines().lock().expect("no one panics with it");
        let shown = lines.iter().filter(|(message, _)| message == "Status Log");
        let mut shown = shown.filter_map(|(_, json)| serde_json::from_str::<Json>(json.as_ref()?).ok());
        shown.find(|line| line["bundles"]["authz"]["active_revision"] == "console-1")
    };
    let line = wait::until(LIMIT, "the line", look).await.expect("it comes");
    assert_eq!(line["type"], "openpolicyagent.org/status");
    assert!(acme.requests().is_empty());
}

#[tokio::test]
async fn a_plugin_takes_reports_if_it_is_named() {
    let acme = ControlPlane::start().await;
    let agent = start(&acme, r#"{"plugin": "recording"}"#).await;
    agent.host.status.set_bundle(bundle("plugin-1"));
    let took = async || {
        let taken = TAKEN.lock().expect("no one panics with it");
        let revision = |body: &Value| body.at(["bundles", "authz", "active_revision"]).cloned();
        taken.iter().any(|body| revision(body) == Some("plugin-1".into())).then_some(())
    };
    wait::until(LIMIT, "the report", took).await.expect("it comes");
}

#[tokio::test]
async fn prometheus_shows_plugins_and_bundles_until_the_plugin_stops() {
    let acme = ControlPlane::start().await;
    let agent = start(&acme, r#"{"prometheus": true}"#).await;
    agent.host.status.set_plugin("bundle", State::NotReady, None);
    agent.host.status.set_bundle(bundle("r1"));
    let shows = async |line: &str| {
        let look = async || agent.host.telemetry.render().contains(line).then_some(());
        wait::until(LIMIT, line, look).await.expect("it is shown");
    };
    shows("\nplugin_status_gauge{name=\"bundle\",status=\"NOT_READY\"} 1\n").await;
    shows("opa_info{version=\"1.9.0\"} 1\n").await;
    shows("\nbundle_loaded_counter{name=\"authz\"} 1\n").await;
    agent.host.status.set_plugin("bundle", State::Ok, None);
    shows("\nplugin_status_gauge{name=\"bundle\",status=\"OK\"} 1\n").await;
    assert!(!agent.host.telemetry.render().contains("NOT_READY\"} 1\nplugin_status_gauge{name=\"bundle\""));
    agent.host.status.remove_bundle("authz");
    let gone = async || (!agent.host.telemetry.render().contains("last_success_bundle_activation{")).then_some(());
    wait::until(LIMIT, "the gauge's end", gone).await.expect("it vanishes with its bundle");
    let host = agent.host.clone();
    agent.stop().await;
    assert!(!host.telemetry.render().contains("opa_info"));
    assert!(acme.requests().is_empty());
}

#[tokio::test]
async fn stopping_sends_the_newest_report_and_withdraws_it_from_the_api() {
    let acme = ControlPlane::start().await;
    let agent = start(&acme, "{}").await;
    agent.ready("status").await;
    agent.host.status.set_bundle(bundle("last"));
    let host = agent.host.clone();
    agent.stop().await;
    let reports = acme.statuses();
    let last = reports.last().expect("a report");
    assert_eq!(last["bundles"]["authz"]["active_revision"], "last");
    assert_eq!(host.status.published(), None);
}

#[tokio::test]
async fn stopping_ends_in_time_if_the_service_does_not_answer() {
    let acme = ControlPlane::start().await;
    acme.fail_always("/status", Some(Fault::Hang(Duration::from_mins(1))));
    let agent = start(&acme, "{}").await;
    agent.ready("status").await;
    agent.stop_within(Duration::from_millis(500)).await.expect("it stops in time");
}

#[tokio::test]
async fn a_new_configuration_is_taken_live() {
    let acme = ControlPlane::start().await;
    let mut agent = start(&acme, r#"{"trigger": "manual"}"#).await;
    agent.trigger("status").await.expect("the service is there");
    agent.apply(&whole(&acme, r#"{"partition_name": "eu"}"#)).await;
    acme.wait_for_requests("/status/eu", 1, LIMIT).await.expect("a report to the new path");
}
