//! Sinks of decisions.

use regent_kit::{Agent, wait};
use serde_json::{Value, json};

use crate::build::{Libraries, SOON, regent};

const LINE_FILE: &str = "docs/plugins/examples/c-sink/line_file.c";

const CONFIG: &str = "decision_logs: {plugin: line_file}\nplugins: {line_file: {path: decisions.jsonl}}\n";

/// The ids of the events in a file, once there are so many.
async fn ids(agent: &Agent, file: &str, count: usize) -> Vec<Value> {
    wait::until(SOON, "events in the file", async || {
        let text = std::fs::read_to_string(agent.dir().join(file)).unwrap_or_default();
        let events = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event"));
        let ids: Vec<_> = events.map(|event| event["decision_id"].clone()).collect();
        (ids.len() >= count).then_some(ids)
    })
    .await
    .expect("the events arrive")
}

#[tokio::test]
async fn decisions_go_to_a_sink_in_c_that_a_line_of_the_configuration_names() {
    let libraries = Libraries::new();
    libraries.compile(LINE_FILE, &[]);
    let mut agent = libraries.agent().config(CONFIG).start().await.expect("the agent starts");
    let mut asked = Vec::new();
    for number in 0..20 {
        asked.push(agent.post("/v1/data/x", json!({"input": number})).await.json()["decision_id"].clone());
    }
    assert_eq!(ids(&agent, "decisions.jsonl", 20).await, asked, "each once, in order");
    let metrics = agent.get("/metrics").await.text();
    assert!(metrics.contains("regent_plugin_line_file_events_total{plugin=\"line_file\"} 20"), "{metrics}");
    assert_eq!(agent.get("/health?plugins").await.status, 200);
    agent.post("/v1/data/x", json!({"input": "last"})).await;
    agent.terminate().expect("a signal");
    assert!(agent.wait(SOON).await.expect("it ends").success());
    assert_eq!(ids(&agent, "decisions.jsonl", 21).await.len(), 21, "the last one as well");
}

#[tokio::test]
async fn a_sink_that_cannot_write_is_offered_the_same_events_again() {
    let libraries = Libraries::new();
    libraries.compile(LINE_FILE, &[]);
    let config = CONFIG.replace("decisions.jsonl", "later/decisions.jsonl");
    let agent = libraries.agent().config(&config).start().await.expect("the agent starts");
    let id = agent.post("/v1/data/x", json!({})).await.json()["decision_id"].clone();
    agent.wait_for_log("No such file or directory", SOON).await.expect("the sink says why");
    std::fs::create_dir(agent.dir().join("later")).expect("a directory");
    assert_eq!(ids(&agent, "later/decisions.jsonl", 1).await, [id]);
}

#[test]
fn what_a_sink_says_against_its_configuration_names_the_key_and_the_file() {
    let libraries = Libraries::new();
    libraries.compile(LINE_FILE, &[]);
    let config = libraries.dir().join("config.yaml");
    std::fs::write(&config, "plugins: {line_file: {path: 5}}\n").expect("written");
    let (config, dir) = (config.to_str().expect("plain"), libraries.dir().to_str().expect("plain"));
    for command in [&["run", "--server"][..], &["config", "check"]] {
        let refused = regent(&[command, &["--plugin-dir", dir, "--config-file", config]].concat());
        assert!(!refused.status.success());
        let said = [refused.stdout, refused.stderr].map(|bytes| String::from_utf8(bytes).expect("text")).concat();
        let expected = format!("plugins.line_file.path: must be the name of a file (from {config})");
        assert!(said.contains(&expected), "{said}");
    }
}
