//! How bundles come in beyond the plain poll: changes, copies on disk, held requests.

use std::collections::BTreeSet;
use std::path::Path;

use regent_kit::{Agent, AgentCommand, Bundle, ControlPlane, Fault};
use serde_json::{Value, json};

use crate::support::{SOON, bundle, decide, policy, ready, regent};

/// A configuration with one bundle that is asked for every second, and more keys of that bundle.
fn config(acme: &ControlPlane, more: &str) -> String {
    format!(
        "services: {{acme: {{url: \"{}\"}}}}\nstatus: {{service: acme}}\npersistence_directory: kept\n\
         bundles: {{authz: {{service: acme, polling: {{min_delay_seconds: 1, max_delay_seconds: 1}}{more}}}}}\n",
        acme.url()
    )
}

/// A bundle of changes.
fn changes(revision: &str, changes: &Value) -> Vec<u8> {
    let patch = json!({"data": changes}).to_string();
    Bundle::new().revision(revision).roots(["app"]).file("patch.json", patch).build()
}

fn status<'a>(report: &'a Value, key: &str) -> &'a Value {
    &report["bundles"]["authz"][key]
}

#[tokio::test]
async fn changes_to_data_arrive_in_place_of_a_whole_bundle() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let agent = ready(regent().config(&config(&acme, ""))).await;
    // Status may have been posted before.
    let asked = acme.wait_for_requests("/bundles/authz", 1, SOON).await.expect("the bundle was asked for");
    assert_eq!(asked[0].header("prefer"), Some("modes=snapshot,delta"));

    let upsert = json!([{"op": "upsert", "path": "/app/users/-", "value": "bob"}]);
    acme.serve_bundle("authz", changes("v2", &upsert));
    let report = acme.wait_for_status(SOON, |report| status(report, "active_revision") == "v2").await;
    let report = report.expect("the changes become active");
    assert_eq!(status(&report, "type"), "delta");
    for user in ["ann", "bob"] {
        assert_eq!(decide(&agent, "app/allow", json!({"user": user})).await, true, "{user}");
    }

    // Of changes that do not fit, none is made, and the error goes away with the next ones.
    let half = json!([{"op": "replace", "path": "/app/users", "value": []}, {"op": "remove", "path": "/app/none"}]);
    acme.serve_bundle("authz", changes("v3", &half));
    let failed = acme.wait_for_status(SOON, |report| status(report, "code") == "bundle_error").await;
    let failed = failed.expect("the failure is reported");
    assert_eq!(status(&failed, "message"), "storage_not_found_error: /app/none: document does not exist");
    assert_eq!(status(&failed, "active_revision"), "v2");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "bob"})).await, true);
    acme.serve_bundle("authz", changes("v4", &json!([{"op": "remove", "path": "/app/users/0"}])));
    let recovered = acme.wait_for_status(SOON, |report| status(report, "active_revision") == "v4").await;
    assert_eq!(status(&recovered.expect("the next changes become active"), "code"), &Value::Null);
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, false);
}

/// The bundle's lines of the log at level debug that are about one load, without what stands in brackets, and the number
/// of its transaction.
async fn load_lines(agent: &Agent, last: &str) -> (Vec<String>, String) {
    agent.wait_for_log(last, SOON).await.expect("the load ends");
    let log = agent.stderr();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let own = lines.filter(|line| line["name"] == "authz" && line["plugin"] == "bundle");
    let texts: Vec<_> = own.filter_map(|line| Some(line["msg"].as_str()?.to_owned())).collect();
    let end = texts.iter().position(|text| text.contains(last)).expect("it was there");
    let start = texts[..end].iter().rposition(|text| text == "Download starting.").expect("a load starts");
    let numbers =
        texts[start..end].iter().filter_map(|text| text.split_once("storage transaction (")?.1.split(')').next());
    let numbers: BTreeSet<_> = numbers.map(str::to_owned).collect();
    let [number] = &Vec::from_iter(numbers)[..] else { panic!("one transaction: {texts:?}") };
    let bare = |text: &String| text.split('(').next().unwrap_or_default().trim_end().to_owned();
    (texts[start..=end].iter().map(bare).collect(), number.clone())
}

#[tokio::test]
async fn at_level_debug_every_step_of_a_load_is_told() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let agent = ready(regent().arg("--log-level=debug").config(&config(&acme, ""))).await;
    let steps = [
        "Download starting.",
        "Download in progress.",
        "Bundle activation in progress",
        "Opened storage transaction",
        "Closing storage transaction",
    ];
    let (lines, first) = load_lines(&agent, "Bundle loaded and activated successfully.").await;
    assert_eq!(lines[..5], steps);

    // A transaction that fails ends too, and has a number of its own.
    acme.serve_bundle("authz", changes("v2", &json!([{"op": "remove", "path": "/app/none"}])));
    let (lines, second) = load_lines(&agent, "Bundle activation failed: ").await;
    assert_eq!(lines[..5], steps);
    assert_ne!(first, second);
}

/// Starts with a service that has a bundle, and stops agent and service once the bundle is kept on disk.
async fn kept() -> AgentCommand {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let command = regent().arg("--log-level=debug").config(&config(&acme, ", persist: true"));
    let agent = ready(command).await;
    agent.wait_for_log("Bundle persisted to disk successfully", SOON).await.expect("the bundle is kept");
    assert_eq!(std::fs::read(file(agent.dir())).expect("the copy"), bundle("v1", &["ann"]));
    agent.into_command().await
}

fn file(directory: &Path) -> std::path::PathBuf {
    directory.join("kept/bundles/authz/bundle.tar.gz")
}

#[tokio::test]
async fn without_its_service_an_agent_starts_from_the_copy_on_disk() {
    let acme = ControlPlane::start().await;
    acme.fail_always("/bundles/authz", Some(Fault::Status(503)));
    let command = kept().await.config(&config(&acme, ", persist: true"));
    let agent = ready(command).await;
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    let report = acme.wait_for_status(SOON, |report| status(report, "http_code") == 503).await;
    assert_eq!(status(&report.expect("the failure is reported"), "active_revision"), "v1");

    // The first answer takes the copy's place; nothing was said of what is already here, for that was another life.
    assert!(acme.requests().iter().all(|request| request.header("if-none-match").is_none()));
    acme.serve_bundle("authz", bundle("v2", &["bob"]));
    acme.fail_always("/bundles/authz", None);
    let newer = acme.wait_for_status(SOON, |report| status(report, "active_revision") == "v2").await;
    newer.expect("the newer one becomes active");
    regent_kit::wait::until(SOON, "the newer one to be kept", async || {
        (std::fs::read(file(agent.dir())).ok()? == bundle("v2", &["bob"])).then_some(())
    })
    .await
    .expect("the newer one is kept");
}

#[tokio::test]
async fn an_address_on_the_command_line_is_a_bundle_that_is_kept() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let address = format!("{}/bundles/authz?x=1", acme.url());
    let agent = ready(regent().args(["--log-level=debug", &address])).await;
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    agent.wait_for_log("Bundle persisted to disk successfully", SOON).await.expect("the bundle is kept");
    assert!(agent.dir().join(".opa/bundles/cli1/bundle.tar.gz").exists());
    assert_eq!(acme.requests()[0].path, "/bundles/authz?x=1");
}

#[tokio::test]
async fn a_copy_that_is_broken_is_reported_and_replaced() {
    let command = kept().await;
    std::fs::write(file(command.dir()), "no archive").expect("the copy can be broken");
    let acme = ControlPlane::start().await;
    acme.fail_always("/bundles/authz", Some(Fault::Status(503)));
    let agent = command.config(&config(&acme, ", persist: true")).start().await.expect("the agent starts");
    agent.wait_for_log("Failed to load bundle from disk: archive read failed", SOON).await.expect("a report");
    assert_eq!(agent.get("/health?bundles").await.status, 500);
    acme.serve_bundle("authz", bundle("v2", &["bob"]));
    acme.fail_always("/bundles/authz", None);
    acme.wait_for_status(SOON, |report| status(report, "active_revision") == "v2").await.expect("it recovers");
    regent_kit::wait::until(SOON, "a sound copy", async || {
        (std::fs::read(file(agent.dir())).ok()? == bundle("v2", &["bob"])).then_some(())
    })
    .await
    .expect("the broken copy is replaced");
}

#[tokio::test]
async fn a_bundle_that_cannot_be_kept_takes_effect_all_the_same() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    // A file where a directory has to be, as on a disk that is full or only readable.
    let command = regent().file("kept", "in the way").config(&config(&acme, ", persist: true"));
    let agent = ready(command).await;
    let failed = |report: &Value| status(report, "code") == "bundle_error" && status(report, "active_revision") == "v1";
    let report = acme.wait_for_status(SOON, failed).await.expect("the failure is reported");
    let message = status(&report, "message").as_str().expect("a message");
    assert!(message.starts_with("kept/bundles/authz/bundle.tar.gz: "), "{message}");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
    agent.wait_for_log("Persisting bundle to disk failed: ", SOON).await.expect("a line of the log");
}

/// Text that no compression makes much smaller.
fn noise(length: usize) -> String {
    let mut state = 1_u64;
    let letter = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b' ' + u8::try_from((state >> 33) % 64).expect("a small number"))
    };
    (0..length).map(letter).filter(|letter| *letter != '"').collect()
}

#[tokio::test]
async fn a_disk_that_is_full_keeps_the_last_copy_that_fitted() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    // No file may become larger than so many blocks; that the write fails is all that the agent sees of it, as on a disk
    // without room.
    let wrapper = format!("#!/bin/sh\ntrap '' XFSZ\nulimit -f 16\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_regent"));
    let place = tempfile::tempdir().expect("a directory");
    let limited = place.path().join("limited");
    std::fs::write(&limited, wrapper).expect("written");
    std::fs::set_permissions(&limited, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    let command =
        regent_kit::Agent::command(&limited).arg("--log-level=debug").config(&config(&acme, ", persist: true"));
    let agent = ready(command).await;
    agent.wait_for_log("Bundle persisted to disk successfully", SOON).await.expect("the bundle is kept");

    let large = |revision: &str, user: &str| {
        let data = json!({"users": [user], "noise": noise(100_000)});
        Bundle::new().revision(revision).roots(["app"]).rego("app.rego", &policy(revision)).data("app", data).build()
    };
    acme.serve_bundle("authz", large("v2", "bob"));
    agent.wait_for_log("Older version of activated bundle persisted, ignoring error", SOON).await.expect("a line");
    let report = acme.wait_for_status(SOON, |report| status(report, "active_revision") == "v2").await;
    assert_eq!(status(&report.expect("it takes effect"), "code"), &Value::Null);
    assert_eq!(decide(&agent, "app/allow", json!({"user": "bob"})).await, true);
    let beside: Vec<_> =
        std::fs::read_dir(file(agent.dir()).parent().expect("a directory")).expect("readable").collect();
    assert_eq!(beside.len(), 1, "nothing half-written is left: {beside:?}");
    assert_eq!(std::fs::read(file(agent.dir())).expect("the copy"), bundle("v1", &["ann"]));

    // What fits again is kept again.
    acme.serve_bundle("authz", bundle("v3", &["cid"]));
    regent_kit::wait::until(SOON, "the copy", async || {
        (std::fs::read(file(agent.dir())).ok()? == bundle("v3", &["cid"])).then_some(())
    })
    .await
    .expect("it is kept");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "cid"})).await, true);

    // An agent without an older copy says in its status that there is none.
    acme.serve_bundle("authz", large("v4", "dan"));
    let command = agent.into_command().await;
    std::fs::remove_file(file(command.dir())).expect("removed");
    let agent = ready(command).await;
    let failed = |report: &Value| status(report, "code") == "bundle_error" && status(report, "active_revision") == "v4";
    acme.wait_for_status(SOON, failed).await.expect("the failure is reported");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "dan"})).await, true);
}

#[tokio::test]
async fn changes_are_not_kept_on_disk() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let agent = ready(regent().config(&config(&acme, ", persist: true"))).await;
    acme.serve_bundle("authz", changes("v2", &json!([{"op": "remove", "path": "/app/users"}])));
    let report = acme.wait_for_status(SOON, |report| status(report, "code") == "bundle_error").await;
    assert_eq!(
        status(&report.expect("the refusal is reported"), "message"),
        "'persist' property is true in config. persisting delta bundle to disk is not supported"
    );
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, true);
}

#[tokio::test]
async fn a_service_that_holds_requests_is_asked_again_at_once() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle_holding("authz", bundle("v1", &["ann"]));
    // Between polls an hour would pass: what comes sooner comes because a request is held.
    let polling = "polling: {min_delay_seconds: 3600, max_delay_seconds: 3600, long_polling_timeout_seconds: 20}";
    let config = config(&acme, "").replace("polling: {min_delay_seconds: 1, max_delay_seconds: 1}", polling);
    let agent = ready(regent().config(&config)).await;
    for (revision, user) in [("v2", "bob"), ("v3", "cid"), ("v4", "dan")] {
        acme.serve_bundle_holding("authz", bundle(revision, &[user]));
        acme.wait_for_status(SOON, |report| status(report, "active_revision") == revision).await.expect("it comes");
        assert_eq!(decide(&agent, "app/allow", json!({"user": user})).await, true);
    }
    let asked = acme.requests().into_iter().filter(|request| request.path == "/bundles/authz").collect::<Vec<_>>();
    assert!(asked.iter().all(|request| request.header("prefer") == Some("modes=snapshot,delta;wait=20")));
    assert!(asked.len() <= 6, "one request for each version, and the one that is held: {}", asked.len());
}

#[tokio::test]
async fn a_service_that_does_not_hold_requests_is_polled() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let long = "polling: {min_delay_seconds: 1, max_delay_seconds: 1, long_polling_timeout_seconds: 20}";
    let polled = config(&acme, "").replace("polling: {min_delay_seconds: 1, max_delay_seconds: 1}", long);
    let agent = ready(regent().config(&polled)).await;
    acme.serve_bundle("authz", bundle("v2", &["bob"]));
    acme.wait_for_status(SOON, |report| status(report, "active_revision") == "v2").await.expect("it comes");
    let asked = acme.requests().into_iter().filter(|request| request.path == "/bundles/authz").collect::<Vec<_>>();
    assert_eq!(asked[0].header("prefer"), Some("modes=snapshot,delta;wait=20"));
    assert!(asked[1..].iter().all(|request| request.header("prefer") == Some("modes=snapshot,delta")));
    drop(agent);
}
