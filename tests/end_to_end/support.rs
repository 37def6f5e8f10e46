//! What all tests here use.

use std::time::Duration;

use regent_kit::{Agent, AgentCommand, Bundle, ControlPlane};
use serde_json::{Value, json};

/// How long anything may take that should happen soon.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A policy that answers with its revision.
pub(crate) fn policy(revision: &str) -> String {
    format!(
        "package app\n\ndefault allow := false\n\nallow if input.user in data.app.users\n\nrevision := \"{revision}\"\n"
    )
}

/// A bundle of that policy whose users are those named.
pub(crate) fn bundle(revision: &str, users: &[&str]) -> Vec<u8> {
    Bundle::new()
        .revision(revision)
        .roots(["app"])
        .rego("app.rego", &policy(revision))
        .data("app", json!({"users": users}))
        .build()
}

/// A configuration that asks the control plane for everything, quickly.
pub(crate) fn config(control_plane: &ControlPlane) -> String {
    let polling = "{min_delay_seconds: 1, max_delay_seconds: 1}";
    format!(
        "services: {{acme: {{url: \"{}\"}}}}\nlabels: {{region: test}}\n\
         bundles: {{authz: {{service: acme, resource: bundles/authz, polling: {polling}}}}}\n\
         decision_logs: {{service: acme, reporting: {polling}}}\nstatus: {{service: acme}}\n",
        control_plane.url()
    )
}

/// The agent with the engine that is tested.
pub(crate) fn regent() -> AgentCommand {
    let command = Agent::command(env!("CARGO_BIN_EXE_regent"));
    match crate::ENGINE {
        Some(engine) => command.arg("--set").arg(format!("engine={engine}")),
        None => command,
    }
}

/// Starts an agent and waits until its first bundle is active.
pub(crate) async fn ready(command: AgentCommand) -> Agent {
    let agent = command.start().await.expect("the agent starts");
    regent_kit::wait::until(SOON, "the bundles to be active", async || {
        (agent.get("/health?bundles").await.status == 200).then_some(())
    })
    .await
    .expect("the bundles become active");
    agent
}

/// The answer to a decision, without anything beside the result.
pub(crate) async fn decide(agent: &Agent, path: &str, input: Value) -> Value {
    let answer = agent.post(&format!("/v1/data/{path}"), json!({"input": input})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["result"].clone()
}
