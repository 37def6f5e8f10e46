//! A bundle in, decisions out, logs and status back.

use regent_kit::ControlPlane;
use regent_kit::wait::until;
use serde_json::json;

use crate::support::{SOON, bundle, config, decide, ready, regent};

#[tokio::test]
async fn a_bundle_comes_in_a_decision_goes_out_and_log_and_status_come_back() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let agent = ready(regent().config(&config(&acme))).await;

    let answer = agent.post("/v1/data/app/allow", json!({"input": {"user": "ann"}})).await.json();
    assert_eq!(answer["result"], true);
    assert_eq!(decide(&agent, "app/allow", json!({"user": "bob"})).await, false);

    let events = acme.wait_for_events(2, SOON).await.expect("both decisions are logged");
    let event = &events[0];
    assert_eq!(event["decision_id"], answer["decision_id"]);
    assert_eq!(event["path"], "app/allow");
    assert_eq!(event["input"], json!({"user": "ann"}));
    assert_eq!(event["result"], true);
    assert_eq!(event["labels"]["region"], "test");
    assert_eq!(event["bundles"], json!({"authz": {"revision": "v1"}}));
    assert!(event["requested_by"].as_str().is_some_and(|address| address.starts_with("127.0.0.1:")));
    assert!(event["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')));

    let status = acme.wait_for_status(SOON, |status| status["bundles"]["authz"]["active_revision"] == "v1").await;
    let status = status.expect("the activation is reported");
    assert_eq!(status["labels"]["region"], "test");
    assert_eq!(status["bundles"]["authz"].get("code"), None);
    assert_eq!(status["plugins"]["bundle"]["state"], "OK");
}

#[tokio::test]
async fn a_new_bundle_takes_effect_within_its_polling_time_and_an_unchanged_one_is_not_sent_again() {
    let acme = ControlPlane::start().await;
    let etag = acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let agent = ready(regent().config(&config(&acme))).await;
    let asked_again = |request: &regent_kit::Received| request.header("if-none-match") == Some(etag.as_str());
    acme.wait_for_request(SOON, asked_again).await.expect("the next poll names the ETag");

    acme.serve_bundle("authz", bundle("v2", &["bob"]));
    until(SOON, "the second revision", async || {
        (decide(&agent, "app/revision", json!({})).await == "v2").then_some(())
    })
    .await
    .expect("the second revision takes effect");
    assert_eq!(decide(&agent, "app/allow", json!({"user": "ann"})).await, false);
    assert_eq!(decide(&agent, "app/allow", json!({"user": "bob"})).await, true);
}

#[tokio::test]
async fn a_terminated_agent_loses_no_event_and_a_restarted_one_goes_on() {
    let acme = ControlPlane::start().await;
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    // Nothing is uploaded before the end: the flush has to bring all.
    let slow = config(&acme).replace(
        "reporting: {min_delay_seconds: 1, max_delay_seconds: 1}",
        "reporting: {min_delay_seconds: 600, max_delay_seconds: 600}",
    );
    let agent = ready(regent().config(&slow)).await;
    let mut ids = Vec::new();
    for user in 0..200 {
        let body = json!({"input": {"user": user}});
        let id = agent.post("/v1/data/app/allow", body).await.json()["decision_id"].clone();
        ids.push(id.as_str().expect("every logged decision has an id").to_owned());
    }
    assert!(acme.events().is_empty());
    agent.terminate().expect("the signal is sent");
    let mut agent = agent;
    let status = agent.wait(SOON).await.expect("the agent ends");
    assert!(status.success(), "{status}: {}", agent.stderr());

    let logged: Vec<_> = acme.events().iter().map(|event| event["decision_id"].as_str().map(str::to_owned)).collect();
    assert_eq!(logged, ids.into_iter().map(Some).collect::<Vec<_>>());
    let last = acme.statuses().pop().expect("a last status");
    assert_eq!(last["bundles"]["authz"]["active_revision"], "v1");

    let again = ready(agent.into_command().await).await;
    assert_eq!(decide(&again, "app/allow", json!({"user": "ann"})).await, true);
}

#[tokio::test]
async fn masked_values_never_leave_the_agent() {
    let acme = ControlPlane::start().await;
    let mask = "package system.log\n\nmask contains \"/input/password\"\n\n\
                mask contains {\"op\": \"upsert\", \"path\": \"/input/user\", \"value\": \"someone\"} if input.input.user\n";
    acme.serve_bundle("authz", bundle("v1", &["ann"]));
    let agent = ready(regent().file("mask.rego", mask).config(&config(&acme)).arg("mask.rego")).await;
    let input = json!({"user": "ann", "password": "hunter2"});
    assert_eq!(decide(&agent, "app/allow", input).await, true);
    let events = acme.wait_for_events(1, SOON).await.expect("the decision is logged");
    assert_eq!(events[0]["input"], json!({"user": "someone"}));
    assert_eq!(events[0]["erased"], json!(["/input/password"]));
    assert_eq!(events[0]["masked"], json!(["/input/user"]));
    let everything: String =
        acme.requests().iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect();
    assert!(!everything.contains("hunter2"));
}

#[tokio::test]
async fn watched_files_are_loaded_again_and_a_broken_one_changes_nothing() {
    let command = regent()
        .file("policy/app.rego", "package app\n\nnumber := 1\n")
        .file("policy/more.rego", "package more\n\nx := 1\n");
    let agent = command.args(["--watch", "policy"]).start().await.expect("the agent starts");
    agent.put("/v1/policies/mine", "package mine\n\nx := 1\n").await;
    assert_eq!(decide(&agent, "app/number", json!({})).await, 1);

    let folder = agent.dir().join("policy");
    std::fs::write(folder.join("app.rego"), "package app\n\nnumber := {").expect("written");
    agent.wait_for_log("rego_parse_error", SOON).await.expect("the error is logged");
    assert_eq!(decide(&agent, "app/number", json!({})).await, 1);

    std::fs::write(folder.join("app.rego"), "package app\n\nnumber := 2\n").expect("written");
    std::fs::remove_file(folder.join("more.rego")).expect("removed");
    until(SOON, "the change", async || {
        let new = decide(&agent, "app/number", json!({})).await == 2;
        (new && decide(&agent, "more/x", json!({})).await.is_null()).then_some(())
    })
    .await
    .expect("the change takes effect");
    assert_eq!(decide(&agent, "mine/x", json!({})).await, 1, "what came over the API stays");
}
