//! Plugins with a life of their own.

use regent_kit::{Agent, wait};
use serde_json::{Value, json};

use crate::build::{Libraries, SOON, regent};

fn config(library: &str, write_paths: &str, section: &str) -> String {
    format!(
        "plugin_libraries: [{{path: {library}, write_paths: {write_paths}}}]\nstatus: {{console: true}}\n\
         plugins: {{maintenance: {section}}}\n"
    )
}

async fn becomes(agent: &Agent, expected: Value) {
    let there = async || (agent.get("/v1/data/acme/maintenance").await.json()["result"] == expected).then_some(());
    wait::until(SOON, "what policies see", there).await.unwrap_or_else(|error| panic!("{expected}: {error}"));
}

#[tokio::test]
async fn a_plugin_lives_is_told_of_a_changed_configuration_and_ends() {
    let libraries = Libraries::new();
    let library = libraries.build("acme-maintenance");
    let library = library.to_str().expect("a plain path");
    let first = config(library, "[acme/maintenance]", "{file: now, interval_seconds: 1}");
    let mut agent =
        Agent::command(env!("CARGO_BIN_EXE_regent")).config(&first).start().await.expect("the agent starts");
    becomes(&agent, json!(false)).await;
    std::fs::write(agent.dir().join("now"), "").expect("written");
    becomes(&agent, json!(true)).await;
    assert_eq!(agent.get("/health?plugins").await.status, 200);
    let looks = async || {
        let metrics = agent.get("/metrics").await.text();
        let line = metrics.lines().find(|line| line.starts_with("regent_plugin_maintenance_looks_total"));
        line.and_then(|line| line.split_whitespace().last()?.parse::<u64>().ok()).expect("the counter")
    };
    let before = looks().await;
    let second = first.replace("file: now", "file: then");
    std::fs::write(agent.dir().join("config.yaml"), second).expect("written");
    agent.signal("HUP").expect("a signal");
    becomes(&agent, json!(false)).await;
    assert!(looks().await > before, "it is the same instance");
    agent.terminate().expect("a signal");
    assert!(agent.wait(SOON).await.expect("it ends").success());
}

#[tokio::test]
async fn what_it_may_not_write_it_says() {
    let libraries = Libraries::new();
    let library = libraries.build("acme-maintenance");
    let config = config(library.to_str().expect("plain"), "[other]", "{file: now, interval_seconds: 1}");
    let agent = Agent::command(env!("CARGO_BIN_EXE_regent")).config(&config).start().await.expect("the agent starts");
    let status = wait::until(SOON, "the state", async || {
        let status = agent.get("/v1/status").await.json()["result"]["plugins"]["maintenance"].clone();
        (status["state"] == "ERROR").then_some(status)
    });
    let status = status.await.expect("it reports");
    assert_eq!(status["message"], "/acme/maintenance does not lie within the library's `write_paths`");
}

#[test]
fn a_wrong_configuration_is_refused_before_anything_starts() {
    let libraries = Libraries::new();
    let library = libraries.build("acme-maintenance");
    let path = libraries.dir().join("config.yaml");
    let text = config(library.to_str().expect("plain"), "[acme]", "{file: now, interval_seconds: 0}");
    std::fs::write(&path, text).expect("written");
    let refused = regent(&["run", "--server", "--config-file", path.to_str().expect("plain")]);
    let said = String::from_utf8(refused.stderr).expect("text");
    let expected = format!("plugins.maintenance.interval_seconds: must be at least 1 (from {})", path.display());
    assert!(said.contains(&expected), "{said}");
}
