//! Decisions that are answered only once they are on disk: processes that are killed, and disks that are full.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use regent_kit::{Agent, ControlPlane, Fault, wait};
use serde_json::{Value, json};

use crate::support::{SOON, regent};

/// Clients that ask at the same time.
const CLIENTS: usize = 8;
/// How often the process is killed.
const DEATHS: u64 = 6;

/// A configuration that keeps decisions on disk before it answers.
fn config(acme: &ControlPlane, more: &str) -> String {
    format!(
        "services: {{acme: {{url: \"{}\"}}}}\npersistence_directory: kept\ndecision_logs:\n  service: acme\n  reporting: \
         {{buffer_type: disk, trigger: immediate, min_delay_seconds: 0, max_delay_seconds: 1, \
         upload_size_limit_bytes: 20000 {more}}}\n",
        acme.url()
    )
}

/// The ids of events that have arrived, each once.
fn arrived(acme: &ControlPlane) -> BTreeSet<String> {
    acme.events().iter().map(id).collect()
}

pub(crate) fn id(document: &Value) -> String {
    document["decision_id"].as_str().expect("an id").to_owned()
}

/// Asks until there is no answer any more, and gives the ids of the decisions that were answered.
pub(crate) async fn ask_until_gone(agent: Arc<Agent>) -> Vec<String> {
    let mut answered = Vec::new();
    loop {
        let body = json!({"input": {"n": answered.len()}}).to_string();
        let request = Request::post("/v1/data/app/allow").body(Bytes::from(body)).expect("a request");
        match agent.send(request).await {
            Ok(answer) if answer.status == 200 => answered.push(id(&answer.json())),
            Ok(answer) => panic!("{}", answer.text()),
            Err(_) => return answered,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_decision_that_was_answered_is_lost_however_often_the_process_is_killed() {
    let acme = ControlPlane::start().await;
    let mut command = regent()
        .config(&config(&acme, ""))
        .args(["--log-level", "error", "app.rego"])
        .file("app.rego", "package app\n\nallow := input.n > 5\n");
    let mut answered = BTreeSet::new();
    for death in 0..DEATHS {
        // Sometimes the service is away, so that much waits on disk.
        acme.fail_always("/logs", (death % 3 == 1).then_some(Fault::Status(503)));
        let agent = Arc::new(command.start().await.expect("the agent starts after every death"));
        let clients: Vec<_> = (0..CLIENTS).map(|_| tokio::spawn(ask_until_gone(agent.clone()))).collect();
        tokio::time::sleep(Duration::from_millis(some_time(death))).await;
        agent.signal("KILL").expect("it runs");
        for client in clients {
            answered.extend(client.await.expect("no answer but 200"));
        }
        let agent = Arc::into_inner(agent).expect("the clients are gone");
        command = agent.into_command().await;
    }
    assert!(answered.len() > 100, "the test has asked something: {}", answered.len());
    acme.fail_always("/logs", None);
    let _agent = command.start().await.expect("the agent starts");
    let all = async || answered.is_subset(&arrived(&acme)).then_some(());
    let found = wait::until(SOON, "all answered decisions", all).await;
    let arrived = arrived(&acme);
    let lost: Vec<_> = answered.difference(&arrived).take(5).collect();
    assert!(found.is_ok(), "{} answered, {} arrived, lost are {lost:?} …", answered.len(), arrived.len());
}

/// Milliseconds until a death: different ones, some before the first upload and some in the middle of many.
fn some_time(death: u64) -> u64 {
    let nanos = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |now| now.subsec_nanos());
    100 + (u64::from(nanos) / 1000 + death * 331) % 900
}

async fn counter(agent: &Agent, name: &str) -> u64 {
    let metrics = agent.get("/metrics").await.text();
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    value.expect("the counter is shown")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_decisions_or_counts_them_as_configured_and_ends_nothing() {
    let policies = [("refuse", 500, "decision_logs_refused_disk"), ("drop", 200, "decision_logs_dropped_disk_failed")];
    for (policy, status, name) in policies {
        let acme = ControlPlane::start().await;
        acme.fail_always("/logs", Some(Fault::Status(503)));
        let limited =
            format!("#!/bin/sh\ntrap '' XFSZ\nulimit -f 64\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_regent"));
        let scripts = tempfile::tempdir().expect("a directory");
        let script = scripts.path().join("limited");
        fs::write(&script, limited).expect("written");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("executable");
        let agent = Agent::command(&script)
            .config(&config(&acme, &format!(", disk_on_failure: {policy}")))
            .args(["--log-level", "error"])
            .start()
            .await
            .expect("the agent starts");
        let mut answered = Vec::new();
        let input = "x".repeat(1000);
        let failed = loop {
            let answer = agent.post("/v1/data/app/allow", json!({"input": input})).await;
            if counter(&agent, name).await > 0 {
                break answer;
            }
            assert!(answer.status == 200 && answered.len() < 1000, "{}", answer.text());
            answered.push(id(&answer.json()));
        };
        assert_eq!(failed.status.as_u16(), status, "{}", failed.text());
        if status == 500 {
            let message = failed.json()["message"].as_str().expect("a message").to_owned();
            assert!(
                message.starts_with("cannot write decisions to kept/decision_logs/service: File too large"),
                "{message}"
            );
        }
        let log = agent.stderr();
        assert!(log.contains("cannot write decisions to kept/decision_logs/service"), "{log}");
        assert!(answered.len() > 10);
        // All that was kept goes out.
        acme.fail_always("/logs", None);
        let wanted: BTreeSet<_> = answered.into_iter().collect();
        let all = async || wanted.is_subset(&arrived(&acme)).then_some(());
        wait::until(SOON, "what was kept", all).await.expect("it arrives");
    }
}
