//! Sinks of decisions.

use regent_kit::{Agent, AgentCommand, wait};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;

use crate::build::{Libraries, SOON, cargo_build, regent};

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

/// Has decisions go to the sink over TCP, which is away at first.
async fn goes_over_tcp(command: AgentCommand) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    drop(listener);
    let config = format!(
        "decision_logs: {{plugin: tcp_sink}}\nstatus: {{console: true}}\nplugins: {{tcp_sink: {{addr: '{addr}'}}}}\n"
    );
    let agent = command.config(&config).start().await.expect("the agent starts");
    let mut asked = Vec::new();
    for number in 0..10 {
        asked.push(agent.post("/v1/data/x", json!({"input": number})).await.json()["decision_id"].clone());
    }
    wait::until(SOON, "the sink to report", async || {
        let state = agent.get("/v1/status").await.json()["result"]["plugins"]["tcp_sink"]["state"].clone();
        (state == "ERROR").then_some(())
    })
    .await
    .expect("it reports that nobody is there");
    let listener = TcpListener::bind(addr).await.expect("the port again");
    let (connection, _) = listener.accept().await.expect("a connection");
    let mut lines = BufReader::new(connection).lines();
    for id in asked {
        let line = lines.next_line().await.expect("a line").expect("one more");
        let event: Value = serde_json::from_str(&line).expect("an event");
        assert_eq!(event["decision_id"], id, "each once, in order");
    }
}

#[tokio::test]
async fn a_sink_in_rust_is_the_same_as_a_library_and_as_a_crate() {
    let libraries = Libraries::new();
    libraries.build("acme-tcp-sink-library");
    goes_over_tcp(libraries.agent()).await;
    goes_over_tcp(Agent::command(cargo_build("acme-tcp-sink", "acme-tcp-sink"))).await;
}

#[test]
fn a_sink_in_rust_says_the_same_of_its_configuration_as_a_library_and_as_a_crate() {
    let libraries = Libraries::new();
    libraries.build("acme-tcp-sink-library");
    let config = libraries.dir().join("config.yaml");
    let (config, dir) = (config.to_str().expect("plain"), libraries.dir().to_str().expect("plain"));
    for (section, expected) in [
        ("{addr: here}", "plugins.tcp_sink.addr: must be host:port"),
        ("{addr: 5}", "plugins.tcp_sink.addr: invalid type: integer `5`, expected a string"),
        ("{}", "plugins.tcp_sink: missing field `addr`"),
    ] {
        std::fs::write(config, format!("plugins: {{tcp_sink: {section}}}\n")).expect("written");
        let check = ["config", "check", "--config-file", config];
        let as_library = regent(&[&check[..], &["--plugin-dir", dir]].concat());
        let crate_binary = cargo_build("acme-tcp-sink", "acme-tcp-sink");
        let as_crate = std::process::Command::new(crate_binary).args(check).output().expect("it runs");
        for output in [as_library, as_crate] {
            let said = String::from_utf8(output.stdout).expect("text");
            assert!(!output.status.success() && said.contains(expected), "{said}");
            assert!(said.contains(config), "{said}");
        }
    }
}

#[tokio::test]
async fn sinks_are_swapped_by_a_line_of_the_configuration() {
    let libraries = Libraries::new();
    libraries.compile(LINE_FILE, &[]);
    let config = |sinks: &str| {
        format!(
            "decision_logs:\n  plugin: {sinks}\nplugins:\n  line_file: {{path: loaded.jsonl}}\n  \
             file_sink: {{path: stock.jsonl}}\n"
        )
    };
    let agent = libraries.agent().config(&config("file_sink")).start().await.expect("the agent starts");
    let decide = async || agent.post("/v1/data/x", json!({})).await.json()["decision_id"].clone();
    let first = decide().await;
    assert_eq!(ids(&agent, "stock.jsonl", 1).await, std::slice::from_ref(&first));
    for (sinks, file, before) in [("line_file", "loaded.jsonl", 0), ("[file_sink, line_file]", "stock.jsonl", 1)] {
        std::fs::write(agent.dir().join("config.yaml"), config(sinks)).expect("written");
        agent.signal("HUP").expect("a signal");
        wait::until(SOON, "an event where it belongs now", async || {
            decide().await;
            let text = std::fs::read_to_string(agent.dir().join(file)).unwrap_or_default();
            (text.lines().count() > before).then_some(())
        })
        .await
        .unwrap_or_else(|error| panic!("{sinks}: {error}"));
    }
    assert!(!ids(&agent, "loaded.jsonl", 1).await.contains(&first));
}
