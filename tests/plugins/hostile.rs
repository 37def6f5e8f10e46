//! Plugins that misbehave: the agent goes on to decide, and says who it is.

use std::sync::Arc;

use futures_util::future::join_all;
use regent_kit::{Agent, AgentCommand, wait};
use serde_json::{Value, json};

use crate::build::{Libraries, SOON, state};

/// An agent with the hostile library, whose calls may take a second.
fn hostile(libraries: &Libraries, more: &str) -> AgentCommand {
    let library = libraries.compile("tests/plugins/c/hostile.c", &[]);
    let path = library.to_str().expect("a plain path");
    let grants = "call_timeout_seconds: 1, write_paths: [hostile]";
    let config = format!("plugin_libraries: [{{path: {path}, {grants}}}]\n{more}");
    Agent::command(env!("CARGO_BIN_EXE_regent")).config(&config).file("p.rego", POLICY).arg("p.rego")
}

const POLICY: &str = "package p

fine := input.x + 1

held := hostile.held()

huge := hostile.huge()

flood := hostile.flood()

garbage := hostile.garbage()

null_ := hostile.null()

number := hostile.number()

back := hostile.back()
";

async fn ask(agent: &Agent, rule: &str) -> Value {
    agent.post(&format!("/v1/data/p/{rule}"), json!({"input": {"x": 1}})).await.json()["result"].clone()
}

async fn why(agent: &Agent, rule: &str) -> String {
    agent.post(&format!("/v1/data/p/{rule}?strict-builtin-errors"), json!({"input": {"x": 1}})).await.text()
}

#[tokio::test]
async fn answers_that_are_none_are_errors_of_the_call() {
    let libraries = Libraries::new();
    let agent = hostile(&libraries, "").start().await.expect("the agent starts");
    for (rule, reason) in [
        ("huge", "the plugin hostile.huge answered more than 67108864 bytes"),
        ("flood", "the plugin hostile.flood answered more than 67108864 bytes"),
        ("garbage", "the plugin hostile.garbage answered what is not JSON: "),
        ("null_", "the plugin hostile.null answered with a null pointer"),
        ("number", "failed with status -12345 and says nothing"),
    ] {
        assert_eq!(ask(&agent, rule).await, Value::Null, "{rule}");
        let text = why(&agent, rule).await;
        assert!(text.contains(reason), "{text}");
        assert_eq!(ask(&agent, "fine").await, 2);
    }
}

#[tokio::test]
async fn who_calls_back_gets_what_it_may_have_and_no_more() {
    let libraries = Libraries::new();
    let agent = hostile(&libraries, "").start().await.expect("the agent starts");
    assert_eq!(agent.put("/v1/data/hostile/read", json!(["there"])).await.status, 204);
    assert_eq!(agent.put("/v1/data/secret", json!("kept")).await.status, 204);
    let text = why(&agent, "back").await;
    // What it read is followed by why it may not write, which together are no JSON.
    assert!(text.contains("answered what is not JSON"), "{text}");
    assert_eq!(agent.get("/v1/data/hostile/written").await.json()["result"], json!([1, 2]));
    assert_eq!(agent.get("/v1/data/secret").await.json()["result"], "kept");
    assert_eq!(agent.get("/v1/data/elsewhere").await.json().get("result"), None);
}

#[tokio::test]
async fn a_function_that_blocks_costs_a_deadline_and_no_decision_of_others() {
    let libraries = Libraries::new();
    let more = "status: {console: true}\n";
    let agent = Arc::new(hostile(&libraries, more).start().await.expect("the agent starts"));
    let text = why(&agent, "held").await;
    assert!(text.contains("the plugin hostile.held did not answer within 1s"), "{text}");
    let status = state(&agent, "hostile.held", "ERROR").await;
    assert_eq!(status["message"], "a call did not answer within 1s");
    assert_eq!(agent.get("/health?plugins").await.status, 500);
    // More than there are threads for it.
    let many = join_all((0..40).map(|_| async { why(&agent, "held").await })).await;
    assert!(many.iter().all(|text| text.contains("the plugin hostile.held")), "{many:?}");
    let text = why(&agent, "held").await;
    assert!(text.contains("is busy: 16 calls that were given up have not returned yet"), "{text}");
    assert_eq!(ask(&agent, "fine").await, 2);
    std::fs::write(agent.dir().join("release"), "").expect("written");
    state(&agent, "hostile.held", "OK").await;
    assert_eq!(ask(&agent, "held").await, true);
}

#[tokio::test]
async fn a_sink_that_blocks_is_told_of_and_loses_nothing() {
    let libraries = Libraries::new();
    let more = "status: {console: true}\ndecision_logs: {plugin: stuck_sink}\nplugins: {stuck_sink: {}}\n";
    let agent = hostile(&libraries, more).start().await.expect("the agent starts");
    let taken = || std::fs::read_to_string(agent.dir().join("taken")).unwrap_or_default();
    let mut asked = Vec::new();
    for _ in 0..2 {
        let answer = agent.post("/v1/data/p/fine", json!({"input": {"x": 1}})).await.json();
        asked.push(answer["decision_id"].as_str().expect("an id").to_owned());
        if asked.len() == 1 {
            let arrived = async || taken().contains(&asked[0]).then_some(());
            wait::until(SOON, "the first event", arrived).await.expect("it arrives");
        }
    }
    state(&agent, "stuck_sink", "ERROR").await;
    assert_eq!(ask(&agent, "fine").await, 2, "decisions go on");
    std::fs::write(agent.dir().join("release"), "").expect("written");
    let arrived = async || taken().contains(&asked[1]).then_some(());
    wait::until(SOON, "the second event", arrived).await.expect("it arrives");
    state(&agent, "stuck_sink", "OK").await;
}

#[tokio::test]
async fn a_sink_that_comes_back_after_its_end_says_nothing_more() {
    let libraries = Libraries::new();
    let logs = "decision_logs: {plugin: stuck_sink}\nplugins: {stuck_sink: {}}\n";
    let agent = hostile(&libraries, &format!("status: {{console: true}}\n{logs}")).start().await.expect("it starts");
    let taken = || std::fs::read_to_string(agent.dir().join("taken")).unwrap_or_default().lines().count();
    for _ in 0..2 {
        ask(&agent, "fine").await;
        let arrived = async || (taken() == 1).then_some(());
        wait::until(SOON, "the first event", arrived).await.expect("it arrives");
    }
    state(&agent, "stuck_sink", "ERROR").await;
    let config = std::fs::read_to_string(agent.dir().join("config.yaml")).expect("the configuration");
    std::fs::write(agent.dir().join("config.yaml"), config.replace(logs, "")).expect("written");
    agent.signal("HUP").expect("a signal");
    let is_there = async || {
        let plugins = agent.get("/v1/status").await.json()["result"]["plugins"].clone();
        plugins.get("stuck_sink").is_some()
    };
    let gone = async || (!is_there().await).then_some(());
    wait::until(SOON, "the sink to be gone", gone).await.expect("it is gone");
    std::fs::write(agent.dir().join("release"), "").expect("written");
    let returned = async || (taken() > 1).then_some(());
    wait::until(SOON, "the late batch", returned).await.expect("it comes");
    // Its thread has but to note that it has returned.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(!is_there().await);
}

#[tokio::test]
async fn a_plugin_that_outlives_its_stop_is_told_nothing_and_changes_nothing() {
    let libraries = Libraries::new();
    let command = hostile(&libraries, "status: {console: true}\nplugins: {haunting: {}}\n");
    let agent = command.start().await.expect("the agent starts");
    state(&agent, "haunting", "OK").await;
    let config = std::fs::read_to_string(agent.dir().join("config.yaml")).expect("the configuration");
    std::fs::write(agent.dir().join("config.yaml"), config.replace("plugins: {haunting: {}}", "")).expect("written");
    agent.signal("HUP").expect("a signal");
    wait::until(SOON, "the plugin to be gone", async || {
        let plugins = agent.get("/v1/status").await.json()["result"]["plugins"].clone();
        plugins.get("haunting").is_none().then_some(())
    })
    .await
    .expect("it is gone");
    let counted = async || {
        let metrics = agent.get("/metrics").await.text();
        metrics.lines().find(|line| line.starts_with("regent_plugin_haunted_total")).map(str::to_owned)
    };
    let before = counted().await;
    assert_eq!(ask(&agent, "fine").await, 2);
    agent.wait_for_log("still here", SOON).await.err();
    assert_eq!(counted().await, before, "its thread lives on, but counts for nothing");
}

#[tokio::test]
async fn a_plugin_that_does_not_end_does_not_keep_the_agent() {
    let libraries = Libraries::new();
    let command = hostile(&libraries, "status: {console: true}\nplugins: {deaf: {}}\n");
    let mut agent = command.arg("--shutdown-grace-period=30").start().await.expect("the agent starts");
    state(&agent, "deaf", "OK").await;
    agent.terminate().expect("a signal");
    agent.wait(SOON).await.expect("it ends, with time left for others");
    let log = agent.wait_for_log("the plugin deaf did not end within 1s", SOON).await;
    log.expect("it says who did not end");
}
