//! The process wrapper, with a stand-in for an agent.

use std::time::Duration;

use regent_kit::{Agent, AgentCommand, wait};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(10);

fn fake() -> AgentCommand {
    Agent::command(env!("CARGO_BIN_EXE_regent-kit-fake-agent"))
}

#[tokio::test]
async fn an_agent_gets_its_files_arguments_and_variables() {
    let command = fake().config("a: 1").file("policies/a.rego", "package a").env("OPA_TEST", "yes").arg("policies");
    let agent = command.start().await.expect("it starts");

    let answer = agent.get("/v1/data?pretty").await;
    assert_eq!(answer.status, 200);
    let heard = answer.json();
    assert_eq!((&heard["method"], &heard["path"]), (&json!("GET"), &json!("/v1/data?pretty")));
    assert_eq!(heard["config"], "a: 1");
    assert_eq!(heard["variables"], json!([["OPA_TEST", "yes"]]));
    assert!(agent.dir().join("policies/a.rego").exists());

    let address = agent.url("").replace("http://", "");
    assert_eq!(agent.stdout(), format!("run --server --addr {address} --config-file config.yaml policies\n"));
}

#[tokio::test]
async fn every_method_carries_its_payload() {
    let agent = fake().start().await.expect("it starts");
    let posted = agent.post("/v1/data/a", json!({"input": 1})).await.json();
    assert_eq!(posted["body"], "{\"input\":1}");
    assert_eq!(posted["type"], "application/json");

    let put = agent.put("/v1/policies/a", "package a").await.json();
    assert_eq!((&put["method"], &put["body"], &put["type"]), (&json!("PUT"), &json!("package a"), &json!(null)));
    assert_eq!(agent.patch("/v1/data", json!([])).await.json()["method"], "PATCH");
    assert_eq!(agent.delete("/v1/policies/a").await.json()["method"], "DELETE");
}

#[tokio::test]
async fn log_lines_can_be_waited_for() {
    let agent = fake().start().await.expect("it starts");
    let (line, _) = tokio::join!(agent.wait_for_log("/later", LIMIT), agent.get("/later"));
    assert_eq!(line.expect("the line"), "GET /later");
    assert!(agent.stderr().starts_with("Initializing server.\n"));

    let error = agent.wait_for_log("never", Duration::from_millis(20)).await.expect_err("no such line").to_string();
    assert!(error.contains("no line with `never`") && error.contains("GET /later"), "{error}");
}

#[tokio::test]
async fn a_terminated_agent_ends_by_itself() {
    let mut agent = fake().start().await.expect("it starts");
    agent.terminate().expect("the signal is sent");
    assert!(agent.wait(LIMIT).await.expect("it ends").success());
    assert!(agent.stderr().ends_with("Shutting down...\n"));
    agent.terminate().expect("a second time is no error");
}

#[tokio::test]
async fn an_agent_that_lingers_can_be_killed() {
    let mut agent = fake().arg("--linger").start().await.expect("it starts");
    agent.terminate().expect("the signal is sent");
    agent.wait_for_log("Shutting down", LIMIT).await.expect("it has heard");
    let error = agent.wait(Duration::from_millis(20)).await.expect_err("it lingers").to_string();
    assert!(error.contains("has not ended within 20ms"), "{error}");
    agent.kill().await;
    assert!(!agent.wait(LIMIT).await.expect("it is gone").success());
}

#[tokio::test]
async fn a_dropped_agent_is_gone() {
    let agent = fake().start().await.expect("it starts");
    let url = agent.url("/");
    let directory = agent.dir().to_owned();
    drop(agent);
    assert!(!directory.exists());
    let gone = wait::until(LIMIT, "a closed port", async || regent_kit::Client::plain().get(&url).await.err());
    gone.await.expect("the port closes");
}

#[tokio::test]
async fn a_second_start_has_the_same_place() {
    let agent = fake().config("a: 1").start().await.expect("it starts");
    let url = agent.url("/");
    std::fs::write(agent.dir().join("kept"), "x").expect("a file");

    let agent = agent.into_command().await.config("a: 2").start().await.expect("it starts again");
    assert_eq!(agent.url("/"), url);
    assert!(agent.dir().join("kept").exists());
    assert_eq!(agent.get("/").await.json()["config"], "a: 2");
}

#[tokio::test]
async fn a_failed_start_shows_why() {
    let error = fake().args(["--fail", "error: bad config"]).start().await.expect_err("it fails").to_string();
    assert!(error.contains("ended before it answered: exit status: 1"), "{error}");
    assert!(error.ends_with("1 of 1 lines:\nerror: bad config"), "{error}");

    let output = fake().args(["--fail", "bad"]).run_to_end(LIMIT).await.expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr, b"bad\n");

    let error = Agent::command("/no/such/binary").start().await.expect_err("no binary").to_string();
    assert!(error.starts_with("cannot start `/no/such/binary`"), "{error}");
}

#[tokio::test]
async fn an_agent_that_does_not_end_is_not_waited_for_forever() {
    let error = fake().run_to_end(Duration::from_millis(200)).await.expect_err("it runs on").to_string();
    assert!(error.contains("has not ended within 200ms"), "{error}");
}

#[tokio::test]
async fn many_agents_start_side_by_side() {
    let starts: Vec<_> = (0..16).map(|_| tokio::spawn(fake().start())).collect();
    let mut urls = std::collections::BTreeSet::new();
    let mut agents = Vec::new();
    for start in starts {
        let agent = start.await.expect("no panic").expect("it starts");
        urls.insert(agent.url("/"));
        agents.push(agent);
    }
    assert_eq!(urls.len(), 16);
}
