//! Plugins in Rust that panic or ask for decisions, in the real binary.

use regent_kit::{Agent, AgentCommand, wait};
use serde_json::json;

use crate::build::{Libraries, SOON, state};

const POLICY: &str = "package p

fine := input.x + 1

panics := misbehaving.panics(input)

again := misbehaving.decides(\"p/again\")
";

fn agent(libraries: &Libraries, more: &str) -> AgentCommand {
    let library = libraries.build("misbehaving-library");
    let library = library.to_str().expect("a plain path");
    let config =
        format!("plugin_libraries: [{{path: {library}, write_paths: [told]}}]\nstatus: {{console: true}}\n{more}");
    Agent::command(env!("CARGO_BIN_EXE_regent")).config(&config).file("p.rego", POLICY).arg("p.rego")
}

async fn why(agent: &Agent, rule: &str) -> String {
    agent.post(&format!("/v1/data/p/{rule}?strict-builtin-errors"), json!({"input": {"x": 1}})).await.text()
}

async fn fine(agent: &Agent) {
    assert_eq!(agent.post("/v1/data/p/fine", json!({"input": {"x": 1}})).await.json()["result"], 2);
}

#[tokio::test]
async fn a_function_that_panics_fails_that_call_alone() {
    let libraries = Libraries::new();
    let agent = agent(&libraries, "").start().await.expect("the agent starts");
    for _ in 0..3 {
        let text = why(&agent, "panics").await;
        assert!(text.contains("misbehaving.panics: panicked: because of {\\\"x\\\":1}"), "{text}");
        fine(&agent).await;
    }
}

#[tokio::test]
async fn a_function_may_not_ask_for_decisions() {
    let libraries = Libraries::new();
    let agent = agent(&libraries, "").start().await.expect("the agent starts");
    let text = why(&agent, "again").await;
    assert!(text.contains("a function of Rego may not ask for documents"), "{text}");
    fine(&agent).await;
}

#[tokio::test]
async fn a_sink_that_panics_loses_the_batch_which_is_counted_and_goes_on() {
    let libraries = Libraries::new();
    let more = "decision_logs: {plugin: panicking_sink}\nplugins: {panicking_sink: {}}\n";
    let agent = agent(&libraries, more).start().await.expect("the agent starts");
    fine(&agent).await;
    agent.wait_for_log("panicked: the first batch", SOON).await.expect("it says why");
    let counted = async |name: &str| {
        let metrics = agent.get("/metrics").await.text();
        metrics.lines().any(|line| line.starts_with(name) && !line.ends_with(" 0")).then_some(())
    };
    let dropped = async || counted("decision_logs_dropped_plugin_refused").await;
    wait::until(SOON, "the drop to be counted", dropped).await.expect("it is counted");
    fine(&agent).await;
    let taken = async || counted("regent_plugin_panicking_sink_events_total").await;
    wait::until(SOON, "the next batch", taken).await.expect("it is taken");
}

#[tokio::test]
async fn a_plugin_that_panics_ends_alone() {
    let libraries = Libraries::new();
    let agent = agent(&libraries, "plugins: {panicking_plugin: {}}\n").start().await.expect("the agent starts");
    let status = state(&agent, "panicking_plugin", "ERROR").await;
    assert_eq!(status["message"], "panicking_plugin: panicked: in the middle of its life");
    fine(&agent).await;
}

#[tokio::test]
async fn a_plugin_may_ask_for_decisions() {
    let libraries = Libraries::new();
    for (path, expected) in
        [("p/fine", json!({"decided": 2})), ("p/none", json!({"decided": null})), ("p/again", json!({"decided": null}))]
    {
        let more = format!("plugins: {{asks: {{path: {path}}}}}\n");
        let agent = agent(&libraries, &more).start().await.expect("the agent starts");
        let told = async || (agent.get("/v1/data/told").await.json()["result"] == expected).then_some(());
        wait::until(SOON, "what it was told", told).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}
